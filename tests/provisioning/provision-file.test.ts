// Over 300 lines: one case a line of what a file can hold.
import { expect, test } from 'vitest'
import {
  ProvisionError,
  type ProvisionProblem,
  provisionSchema,
  readProvisionFile,
} from '../../server/provisioning/provision-file.ts'

const keySecret = 'sk-0123456789abcdefghij'

function problemsOf(file: unknown): readonly ProvisionProblem[] {
  try {
    readProvisionFile(typeof file === 'string' ? file : JSON.stringify(file))
  } catch (error) {
    if (error instanceof ProvisionError) return error.problems
    throw error
  }
  return []
}

const pathsOf = (file: unknown) => problemsOf(file).map(({ path }) => path)

function accountOf(fields: Record<string, unknown>) {
  return readProvisionFile(JSON.stringify({ accounts: [{ name: 'a', ...fields }] })).accounts[0]
}

test('a whole file is read', () => {
  const file = {
    $schema: './docs/provision.schema.json',
    admin: { username: 'admin', password: 'long enough', email: 'me@example.org' },
    groups: [{ name: 'team' }],
    accounts: [
      {
        name: 'vendor',
        platform: 'console',
        url: 'https://api.example.org',
        authHeader: 'x-api-key',
        secret: 'upstream-key',
        groups: ['team', 'other'],
        priority: 0,
        weight: 10_000,
        models: ['claude-*', 'glm-5'],
        modelMapping: { 'claude-*': 'glm-5', other: 'glm-4' },
        proxy: 'socks5://me:p%40ss@127.0.0.1:1080',
      },
    ],
    keys: [
      {
        name: '小明',
        secret: keySecret,
        group: 'team',
        models: ['*'],
        dailyLimitUsd: '12.50',
        totalLimitUsd: null,
        expiresAt: '2027-01-31T00:00:00+08:00',
      },
    ],
    rules: [
      {
        name: 'used up',
        platform: 'console',
        enabled: true,
        status: '400-499',
        errorType: 'quota_*',
        code: null,
        message: '您的余额不足*',
        effect: 'rate_limited',
        scope: 'family',
        durationSeconds: 3600,
      },
    ],
  }
  const { $schema: _, ...expected } = file
  expect(readProvisionFile(`\uFEFF${JSON.stringify(file, null, 2)}`)).toEqual(expected)
})

test('absent fields stay absent and null stays null', () => {
  const { admin, groups, accounts, keys } = readProvisionFile(
    '{"keys":[{"name":"k","dailyLimitUsd":null}],"accounts":[{"name":"a","proxy":null}]}',
  )
  expect(admin).toBeUndefined()
  expect(groups).toEqual([])
  expect(accounts[0]).toStrictEqual({ name: 'a', proxy: null })
  expect(keys[0]).toStrictEqual({ name: 'k', dailyLimitUsd: null })
})

test.each(['0.1', '0.10', '12.50', '0', '9000000', '1234567.123456789', '0.000000001'])(
  'the amount %s is kept exactly as written; as a JSON number it is refused',
  (amount) => {
    const file = (literal: string) => `{"keys":[{"name":"k","totalLimitUsd":${literal}}]}`
    expect(readProvisionFile(file(`"${amount}"`)).keys[0]?.totalLimitUsd).toBe(amount)
    expect(problemsOf(file(amount))).toEqual([
      {
        path: 'keys[0].totalLimitUsd',
        problem: 'must be in quotes, such as "12.50": amounts are decimal text',
      },
    ])
  },
)

test.each([
  '"-1"',
  '"1e2"',
  '"0.1234567891"',
  '"9000001"',
  '"9000000.000000001"',
  '1e2',
  '"1,5"',
  '".5"',
  '"$5"',
  '""',
  'true',
])('the amount %s is a problem', (literal) => {
  expect(pathsOf(`{"keys":[{"name":"k","dailyLimitUsd":${literal}}]}`)).toEqual(['keys[0].dailyLimitUsd'])
})

test.each([
  ['https://api.example.org', 'https://api.example.org'],
  ['https://api.example.org/', 'https://api.example.org'],
  ['https://api.example.org/v1', 'https://api.example.org'],
  ['https://API.example.org/v1/messages/', 'https://api.example.org'],
  ['http://10.0.0.1:8080/api/anthropic/v1/', 'http://10.0.0.1:8080/api/anthropic'],
  ['https://api.example.org/v10', 'https://api.example.org/v10'],
])('the url %s becomes the base %s', (url, base) => {
  expect(accountOf({ url })?.url).toBe(base)
})

test.each([
  'ftp://x',
  'api.example.org',
  'https://me:hidden@x',
  'https://x?a=1',
  'https://x#a',
  'https://a b',
  'https://x\n',
  '',
])('the url %j is a problem', (url) => {
  expect(problemsOf({ accounts: [{ name: 'a', url }] })).toEqual([
    { path: 'accounts[0].url', problem: expect.any(String) },
  ])
})

test.each(['http://proxy:3128', 'https://me:pw@proxy', 'socks5://[::1]:1080', 'socks5h://me@proxy:1080/'])(
  'the proxy %s is taken as written',
  (proxy) => {
    expect(accountOf({ proxy })?.proxy).toBe(proxy)
  },
)

test('the tokens of a login stand together, and only with the platform that has logins', () => {
  const [accessToken, refreshToken] = ['sk-ant-oat01-CANARY', 'sk-ant-ort01-CANARY']
  const file = {
    accounts: [
      { name: 'a', platform: 'claude', accessToken, refreshToken, expiresAt: '2027-01-31T00:00:00Z', plan: 'max' },
      { name: 'b', platform: 'console', accessToken },
      { name: 'c', platform: 'claude', refreshToken, expiresAt: '2027-01-31T00:00:00Z' },
      { name: 'd', platform: 'claude', accessToken, secret: 'sk-CANARY' },
      { name: 'e', platform: 'claude', accessToken: 'ключ', expiresAt: 'tomorrow' },
    ],
  }
  expect(pathsOf(file).sort()).toEqual([
    'accounts[1].accessToken',
    'accounts[2].expiresAt',
    'accounts[2].refreshToken',
    'accounts[3].secret',
    'accounts[4].accessToken',
    'accounts[4].expiresAt',
  ])
  expect(() => readProvisionFile(JSON.stringify(file))).toThrow(expect.not.stringContaining('CANARY'))
  expect(readProvisionFile(JSON.stringify({ accounts: [file.accounts[0]] })).accounts[0]).toEqual(file.accounts[0])
})

test('an account has timers, headers and bounds of its own', () => {
  const own = {
    connectTimeoutSeconds: 20,
    firstByteTimeoutSeconds: 300,
    idleTimeoutSeconds: null,
    extraHeaders: { 'x-tenant': 'team 7', 'OpenAI-Organization': 'org-1' },
    maxUtilization: { '5h': 0.8, '7d_sonnet': 1 },
  }
  expect(accountOf(own)).toEqual({ name: 'a', ...own })
})

test.each([
  'Authorization',
  'x-api-key',
  'X-Goog-Api-Key',
  'Cookie',
  'User-Agent',
  'x-app',
  'X-Stainless-OS',
  'x-claude-code-session-id',
  'originator',
  'chatgpt-account-id',
  'anthropic-beta',
  'anthropic-version',
  'Host',
  'Connection',
  'Content-Length',
  'transfer-encoding',
  'accept-encoding',
  'x-forwarded-for',
  'Forwarded',
  'proxy-authorization',
  'two words',
])('the extra header %j is refused', (name) => {
  expect(problemsOf({ accounts: [{ name: 'a', extraHeaders: { [name]: 'x' } }] }).length).toBe(1)
})

test.each([
  [{ extraHeaders: { 'x-a': 'CANARY\r\nx-b: 1' } }],
  [{ extraHeaders: { 'x-a': 'CANARY', 'X-A': 'CANARY' } }],
  [{ extraHeaders: { 'x-a': '' } }],
  [{ maxUtilization: { '5h': 0 } }],
  [{ maxUtilization: { '5h': 1.01 } }],
  [{ maxUtilization: { 'five hours': 0.5 } }],
  [{ connectTimeoutSeconds: 0 }],
  [{ firstByteTimeoutSeconds: 3601 }],
  [{ idleTimeoutSeconds: 1.5 }],
])('the setting %j is refused, and its value is not repeated', (fields) => {
  const problems = problemsOf({ accounts: [{ name: 'a', ...fields }] })
  expect(problems.length).toBe(1)
  expect(JSON.stringify(problems)).not.toContain('CANARY')
})

test.each([
  ['line breaks of a terminal', 'sk-ant-oat01-ab\n  cd-ef\r\n'],
  ['quotes and a comma', ' "sk-ant-oat01-abcd-ef", '],
  ['curly quotes', '“sk-ant-oat01-abcd-ef”'],
  ['the word Bearer', 'Bearer sk-ant-oat01-abcd-ef'],
  ['a whole header', 'authorization: bearer  "sk-ant-oat01-abcd-ef"'],
  ['a space of a page', '\u00a0sk-ant-oat01-\u200babcd-ef\ufeff'],
])('a token that was pasted with %s is repaired', (_what, pasted) => {
  expect(accountOf({ secret: pasted })?.secret).toBe('sk-ant-oat01-abcd-ef')
  expect(accountOf({ platform: 'claude', accessToken: pasted })?.accessToken).toBe('sk-ant-oat01-abcd-ef')
})

test.each(['proxy:3128', 'socks4://proxy', 'http://proxy/path', 'http://a:%zz@proxy', 'socks5://', ''])(
  'the proxy %j is a problem',
  (proxy) => {
    expect(pathsOf({ accounts: [{ name: 'a', proxy }] })).toEqual(['accounts[0].proxy'])
  },
)

test('every problem of a file is told at once, by path', () => {
  const file = {
    colour: 'red',
    admin: { username: ' admin', password: 'short', email: 'nobody' },
    groups: {},
    accounts: [
      {
        platform: 'gemini',
        authHeader: 'cookie',
        secret: 'ключ',
        weight: 0,
        priority: 1.5,
        models: [],
        modelMapping: { '7': 'x', a: 'b*' },
      },
      { name: 'a', urls: 'x' },
      { name: 'a', weight: 10_001, priority: '1', models: 'x', groups: null },
    ],
    keys: [
      { name: 'k'.repeat(101), secret: 'sk-short', expiresAt: '2027-02-30T00:00:00Z' },
      { name: 'k', expiresAt: '2027-01-01' },
      5,
    ],
  }
  expect(pathsOf(file).sort()).toEqual([
    'accounts[0].authHeader',
    'accounts[0].modelMapping.a',
    'accounts[0].modelMapping["7"]',
    'accounts[0].models',
    'accounts[0].name',
    'accounts[0].platform',
    'accounts[0].priority',
    'accounts[0].secret',
    'accounts[0].weight',
    'accounts[1].urls',
    'accounts[2].groups',
    'accounts[2].models',
    'accounts[2].name',
    'accounts[2].priority',
    'accounts[2].weight',
    'admin.email',
    'admin.password',
    'admin.username',
    'colour',
    'groups',
    'keys[0].expiresAt',
    'keys[0].name',
    'keys[0].secret',
    'keys[1].expiresAt',
    'keys[2]',
  ])
  expect(() => readProvisionFile(JSON.stringify(file))).toThrow(/accounts\[0\]\.platform: must be "console"/)
})

test('names and secrets of keys are unique within their list, and a name has 1 to 100 characters, not bytes', () => {
  const file = {
    keys: [{ name: 'x', secret: keySecret }, { name: 'y', secret: keySecret }, { name: 'x' }],
    groups: [{ name: 'x' }],
  }
  expect(pathsOf(file)).toEqual(['keys[2].name', 'keys[1].secret'])
  expect(pathsOf({ groups: [{ name: '😀'.repeat(100) }, { name: '' }] })).toEqual(['groups[1].name'])
})

test('no secret is repeated in a message, wherever it was put by mistake', () => {
  const secret = 'sk-hidden-hidden-hidden-hidden'
  const files = [
    {
      keys: [{ name: 'k', secret: `${secret} ` }, { [secret]: 'k' }],
      accounts: [{ name: 'a', url: secret, secret: ` ${secret}`, proxy: secret }],
    },
    {
      accounts: [{ name: 'a', authHeader: secret, platform: secret, modelMapping: { [`${secret} `]: secret } }],
      admin: secret,
    },
    `{"secret": "${secret}" "x": 1}`,
    `{"secret": ${secret}}`,
    `{"secret": "${secret}`,
    `${secret}`,
  ]
  for (const file of files) {
    const said = JSON.stringify(problemsOf(file))
    expect(said).not.toBe('[]')
    expect(said).not.toContain('hidden')
  }
})

test('text that is no JSON is refused with its line and column, where the parser names them', () => {
  expect(problemsOf('{\n  "groups": [],\n}')).toEqual([{ path: '', problem: 'not JSON: line 3, column 1' }])
  expect(problemsOf('{"groups": nothing}')[0]?.problem).toMatch(/^not JSON(: line 1, column 13)?$/)
})

test('a field named __proto__ is an unknown field like any other', () => {
  expect(pathsOf('{"__proto__":{"keys":[]}}')).toEqual(['__proto__'])
})

test('the schema for editors allows what the parser allows of an amount', () => {
  const amount = JSON.stringify(provisionSchema()).match(/"dailyLimitUsd":(\{.*?\}\]\})/)?.[1]
  expect(JSON.parse(amount?.replace(/\]\}.*$/, ']}') ?? '')).toMatchObject({
    anyOf: [{ type: 'string' }, { type: 'null' }],
  })
})
