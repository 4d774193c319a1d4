/**
 * The functions of counters.ts as scripts; the server runs each as one atomic step.
 *
 * Keys; the braces put all of them into one slot of a cluster:
 *   {prefix}:counter:<name>  hash: spent, held (Σ of the holds), expires ('' = never), due (no hold ends before it, '' =
 *                            none), and a field `h:<request id>` = "<deadline> <amount>" for each hold. One key, so that a
 *                            counter is never lost in part.
 *   {prefix}:request:<id>    JSON list of the claimed counters while in flight, 'settled' afterwards.
 *
 * Lua's numbers are doubles, exact below 2^53, but tostring() writes 1e+15: every number goes through text().
 * `0 - x` instead of `-x`, because -0 becomes '-0', which Redis does not take as an integer.
 * KEYS[1] is the request (or the counter, for seed and read); ARGV[1] now, ARGV[2] the prefix of a counter's key.
 */
const prelude = `
local now, counter_keys = tonumber(ARGV[1]), ARGV[2]
local function text(n) return string.format('%.0f', n) end

local function live(key)
  local f = redis.call('HMGET', key, 'spent', 'held', 'expires', 'due')
  if not f[1] then return nil end
  local c = { key = key, spent = tonumber(f[1]), held = tonumber(f[2]), expires = tonumber(f[3]), due = tonumber(f[4]) }
  if c.expires and c.expires <= now then
    redis.call('DEL', key)
    return nil
  end
  if c.due and c.due <= now then
    c.due = nil
    local all = redis.call('HGETALL', key)
    for i = 1, #all, 2 do
      if string.sub(all[i], 1, 2) == 'h:' then
        local deadline, amount = string.match(all[i + 1], '^(%d+) (%d+)$')
        deadline = tonumber(deadline)
        if deadline <= now then
          redis.call('HDEL', key, all[i])
          c.held = c.held - tonumber(amount)
        elseif not c.due or deadline < c.due then
          c.due = deadline
        end
      end
    end
    redis.call('HSET', key, 'held', text(c.held), 'due', c.due and text(c.due) or '')
  end
  return c
end

local function held_by(c, id)
  local hold = redis.call('HGET', c.key, 'h:' .. id)
  return hold and tonumber(string.match(hold, ' (%d+)$')) or 0
end

local function place(c, id, amount, deadline)
  local before = held_by(c, id)
  amount = math.max(before, amount)
  redis.call('HINCRBY', c.key, 'held', text(amount - before))
  redis.call('HSET', c.key, 'h:' .. id, text(deadline) .. ' ' .. text(amount))
  if not c.due or deadline < c.due then
    c.due = deadline
    redis.call('HSET', c.key, 'due', text(deadline))
  end
end

local function drop(c, id)
  redis.call('HINCRBY', c.key, 'held', text(0 - held_by(c, id)))
  redis.call('HDEL', c.key, 'h:' .. id)
end

-- The key outlives its logical end by a minute: the caller's clock decides, this only cleans up.
local function expire(key, at) redis.call('PEXPIRE', key, text(at - now + 60000)) end
`

/** ARGV[3] spent, [4] expires or ''. */
export const seedLua = `${prelude}
local expires = tonumber(ARGV[4])
if (expires and expires <= now) or live(KEYS[1]) then return end
redis.call('HSET', KEYS[1], 'spent', ARGV[3], 'held', '0', 'expires', ARGV[4], 'due', '')
if expires then expire(KEYS[1], expires) end`

/** ARGV[3] id, [4] claims as [[counter, limit, expires or -1], …], [5] their names, [6] amount, [7] deadline, [8] remember. */
export const holdLua = `${prelude}
if redis.call('EXISTS', KEYS[1]) == 1 then return {'held'} end
local claims, unknown, counters = cjson.decode(ARGV[4]), {'unknown'}, {}
for _, claim in ipairs(claims) do
  local name = claim[1]
  counters[name] = counters[name] or live(counter_keys .. name)
  claim.counter = counters[name]
  if not claim.counter then unknown[#unknown + 1] = claim[1] end
end
if #unknown > 1 then return unknown end
for _, claim in ipairs(claims) do
  local c = claim.counter
  if c.spent >= claim[2] then return {'over', claim[1], text(c.spent)} end
end
for _, claim in ipairs(claims) do
  local c = claim.counter
  if c.spent + c.held >= claim[2] then return {'busy', claim[1], text(c.spent), text(c.held)} end
end
local answer = {'held'}
for _, claim in ipairs(claims) do
  local c, expires = claim.counter, claim[3]
  answer[#answer + 1] = text(c.spent)
  place(c, ARGV[3], tonumber(ARGV[6]), tonumber(ARGV[7]))
  if c.expires and expires < 0 then
    redis.call('HSET', c.key, 'expires', '')
    redis.call('PERSIST', c.key)
    c.expires = nil
  elseif c.expires and expires > c.expires then
    redis.call('HSET', c.key, 'expires', text(expires))
    expire(c.key, expires)
    c.expires = expires
  end
end
redis.call('SET', KEYS[1], ARGV[5], 'PX', ARGV[8])
return answer`

/** ARGV[3] id, [4] amount, [5] deadline, [6] remember. */
export const topLua = `${prelude}
local names = redis.call('GET', KEYS[1])
if not names or names == 'settled' then return end
redis.call('PEXPIRE', KEYS[1], ARGV[6])
for _, name in ipairs(cjson.decode(names)) do
  local c = live(counter_keys .. name)
  if c then place(c, ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])) end
end`

/** ARGV[3] id, [4] spent, [5] names for a request that is not known, as JSON, [6] remember. */
export const settleLua = `${prelude}
local names = redis.call('GET', KEYS[1]) or ARGV[5]
if names == 'settled' or names == '[]' then return end
redis.call('SET', KEYS[1], 'settled', 'PX', ARGV[6])
for _, name in ipairs(cjson.decode(names)) do
  local c = live(counter_keys .. name)
  if c then
    drop(c, ARGV[3])
    redis.call('HINCRBY', c.key, 'spent', ARGV[4])
  end
end`

export const readLua = `${prelude}
local c = live(KEYS[1])
if c then return {text(c.spent), text(c.held)} end
return {}`
