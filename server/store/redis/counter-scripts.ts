/**
 * The functions of counters.ts as scripts; the server runs each as one atomic step.
 *
 * Keys; the braces put all of them into one slot of a cluster:
 *   {prefix}:counter:<name>  hash: spent, held (Σ of the holds), expires ('' = never), due (no hold ends before it, '' =
 *                            none), and a field `h:<request id>` = "<deadline> <amount>" for each hold. One key, so that a
 *                            counter is never lost in part.
 *   {prefix}:request:<id>    JSON of its claims, as ARGV[4] of hold, while in flight, 'settled' afterwards.
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

-- A claim is [counter, limit, expires, earlier counters …].
local function sum(claim)
  local spent, held = 0, 0
  for i, name in ipairs(claim) do
    if i == 1 or i > 3 then
      local c = live(counter_keys .. name)
      if c then
        spent = spent + c.spent
        held = held + c.held
      end
    end
  end
  return spent, held
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

/** ARGV[3] id, [4] claims as [[counter, limit, expires or -1, earlier counters …], …], [5] amount, [6] deadline, [7] remember. */
export const holdLua = `${prelude}
local fitted = tonumber(ARGV[5])
if redis.call('EXISTS', KEYS[1]) == 1 then return {'held', ARGV[5]} end
local claims, unknown = cjson.decode(ARGV[4]), {'unknown'}
for _, claim in ipairs(claims) do
  for i, name in ipairs(claim) do
    if (i == 1 or i > 3) and not live(counter_keys .. name) then unknown[#unknown + 1] = name end
  end
end
if #unknown > 1 then return unknown end
for _, claim in ipairs(claims) do
  claim.spent, claim.held = sum(claim)
  if claim.spent >= claim[2] then return {'over', claim[1], text(claim.spent)} end
end
for _, claim in ipairs(claims) do
  if claim.held == 0 then fitted = math.min(fitted, claim[2] - claim.spent) end
end
for _, claim in ipairs(claims) do
  if claim.spent + claim.held + fitted > claim[2] then return {'busy', claim[1], text(claim.spent), text(claim.held)} end
end
local answer = {'held', text(fitted)}
for _, claim in ipairs(claims) do
  local c, expires = live(counter_keys .. claim[1]), claim[3]
  answer[#answer + 1] = text(claim.spent)
  place(c, ARGV[3], fitted, tonumber(ARGV[6]))
  if c.expires and expires < 0 then
    redis.call('HSET', c.key, 'expires', '')
    redis.call('PERSIST', c.key)
  elseif c.expires and expires > c.expires then
    redis.call('HSET', c.key, 'expires', text(expires))
    expire(c.key, expires)
  end
end
redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[7])
return answer`

/** ARGV[3] id, [4] amount, [5] deadline, [6] remember, [7] 1: a hold that does not fit stays as it is. */
export const topLua = `${prelude}
local stored = redis.call('GET', KEYS[1])
if not stored or stored == 'settled' then return 1 end
redis.call('PEXPIRE', KEYS[1], ARGV[6])
local claims, amount, fits = cjson.decode(stored), tonumber(ARGV[4]), 1
for _, claim in ipairs(claims) do
  local c = live(counter_keys .. claim[1])
  local own = c and held_by(c, ARGV[3]) or 0
  local spent, held = sum(claim)
  if spent + held - own + math.max(own, amount) > claim[2] then fits = 0 end
end
if fits == 0 and ARGV[7] == '1' then amount = 0 end
for _, claim in ipairs(claims) do
  local c = live(counter_keys .. claim[1])
  if c then place(c, ARGV[3], amount, tonumber(ARGV[5])) end
end
return fits`

/** ARGV[3] id, [4] spent, [5] counters for a request that is not known, as claims, [6] remember. */
export const settleLua = `${prelude}
local stored = redis.call('GET', KEYS[1]) or ARGV[5]
if stored == 'settled' or stored == '[]' then return end
redis.call('SET', KEYS[1], 'settled', 'PX', ARGV[6])
local done = {}
for _, claim in ipairs(cjson.decode(stored)) do
  local c = not done[claim[1]] and live(counter_keys .. claim[1])
  done[claim[1]] = true
  if c then
    drop(c, ARGV[3])
    redis.call('HINCRBY', c.key, 'spent', ARGV[4])
  end
end`

export const readLua = `${prelude}
local c = live(KEYS[1])
if c then return {text(c.spent), text(c.held)} end
return {}`
