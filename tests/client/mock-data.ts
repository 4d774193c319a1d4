// Over 300 lines: canned rows, one field a line.
import { said as runWords } from '../../server/jobs/run-words.ts'

/** Canned objects in the shapes of schema.graphql, and a stream of live events that a caller pushes into. */

const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString()
const ahead = (seconds: number): string => ago(-seconds)
type Row = Record<string, unknown>

const totals = {
  requests: 1284,
  failures: 3,
  tokens: 8_412_331,
  inputTokens: 700_000,
  outputTokens: 312_331,
  cacheWriteTokens: 400_000,
  cacheReadTokens: 7_000_000,
  cost: '12483190250',
  absorbed: '0',
}
const ready = { name: 'READY', since: null, until: null, nextProbeAt: null, reason: '', models: [] }

export interface MockData {
  root: Row
  /** Sends one message to all that subscribe: events by what they are about, such as `{ started: request }`. */
  push: (...events: Row[]) => void
  /** Whether the cookie has a session. */
  session: { isOpen: boolean; needsSetup: boolean }
  /** The rows that `liveRequests` answers. */
  running: Row[]
  /** How many subscriptions listen now. */
  listening: () => number
  /** Drops them: a generator that waits does not hear that its socket is gone. */
  forget: () => void
  /** Whether Claude accounts are on, and what forms sent of accounts. */
  claude: Row
  said: Row[]
  /** The one who is signed in, the keys and the rules: rows that a test changes. */
  user: Row
  keys: Row[]
  rules: Row[]
}

export function createMockData(isEmpty: boolean): MockData {
  const user: Row = {
    id: 'U1',
    username: 'admin',
    email: null,
    role: 'ADMIN',
    enabled: true,
    mustChangePassword: false,
    chargeFactor: '1',
    rollingHours: 5,
    createdAt: ago(864_000),
  }
  const anna: Row = {
    ...user,
    id: 'U2',
    username: 'anna',
    email: 'anna@example.com',
    role: 'USER',
    monthlyLimit: '200000000000',
    rollingLimit: '5000000000',
  }
  const users: Row[] = [user, anna]
  const settings: Row = {
    systemName: 'Claude Code Relay',
    recoveryProbes: 'ACTIVE',
    recoveryProbeSeconds: 30,
    whenLimitReached: 'FINISH',
    weekStart: 'MONDAY',
    resetHour: 0,
    upstreamAllow: ['192.168.1.0/24', 'fd00::/8'],
  }
  const limits = { weeklyLimit: null, monthlyLimit: null, rollingLimit: null, rollingHours: 5 }
  const groups: Row[] = [
    {
      id: 'G1',
      name: 'default',
      remark: 'Everybody without a group of their own',
      enabled: true,
      returnsToPriority: true,
      stripForeignReasoning: false,
      chargeFactor: '1',
      rollingHours: 5,
      shared: true,
      owner: null,
      createdAt: ago(864_000),
      accounts: { totalCount: 4 },
      apiKeys: { totalCount: 3 },
    },
    {
      id: 'G2',
      name: '研发团队',
      remark: '后端与前端',
      enabled: true,
      returnsToPriority: true,
      stripForeignReasoning: false,
      chargeFactor: '1',
      rollingHours: 5,
      shared: false,
      owner: user,
      createdAt: ago(90_000),
      accounts: { totalCount: 1 },
      apiKeys: { totalCount: 2 },
    },
    {
      id: 'G3',
      name: 'contractors',
      remark: '',
      enabled: false,
      returnsToPriority: true,
      stripForeignReasoning: false,
      chargeFactor: '1',
      rollingHours: 5,
      shared: false,
      owner: user,
      createdAt: ago(4000),
      accounts: { totalCount: 0 },
      apiKeys: { totalCount: 0 },
    },
  ]
  const account = (row: Row): Row => ({
    platform: 'CONSOLE',
    url: 'https://api.anthropic.com',
    authHeader: 'X_API_KEY',
    groups: [groups[0]],
    owner: user,
    priority: 100,
    weight: 100,
    concurrencyLimit: null,
    models: [],
    modelMapping: [],
    hasProxy: false,
    approved: true,
    enabled: true,
    state: ready,
    inFlight: 0,
    createdAt: ago(80_000),
    plan: '',
    login: null,
    limitGauges: [],
    usageToday: totals,
    extraHeaderNames: [],
    maxUtilization: [],
    isTested: true,
    successRate: 1,
    lastError: null,
    ...row,
  })
  /** Of an account that has answered nothing yet. */
  const never = { isTested: false, successRate: null, lastError: null }
  const login = {
    expiresAt: ahead(20_000),
    renews: true,
    refreshedAt: ago(9000),
    refreshFailure: '',
    refreshError: null,
    nextRefreshAt: null,
  }
  const gauge = (window: string, utilization: number | null, resetS: number, status = 'allowed'): Row => ({
    window,
    status,
    utilization,
    resetAt: ahead(resetS),
    at: ago(40),
  })
  const zero = { ...totals, requests: 0, failures: 0, tokens: 0, cost: '0' }
  const accounts: Row[] = [
    account({
      id: 'A1',
      name: 'console-main',
      inFlight: 2,
      concurrencyLimit: 4,
      state: {
        ...ready,
        models: [
          { model: 'claude-opus-4-6', until: ahead(240), reason: '403 permission_error', nextProbeAt: ahead(25) },
        ],
      },
    }),
    account({
      id: 'A2',
      name: 'max-plan-tokyo',
      platform: 'CLAUDE',
      authHeader: 'BEARER',
      plan: 'max',
      login,
      limitGauges: [
        gauge('5h', 1.02, 5100, 'rejected'),
        gauge('7d', 0.78, 260_000, 'allowed_warning'),
        gauge('7d_sonnet', 0.31, 260_000),
        gauge('overage', null, 900_000, 'rejected'),
      ],
      state: {
        ...ready,
        name: 'RATE_LIMITED',
        since: ago(900),
        until: ahead(5100),
        reason: '5-hour limit reached (429)',
      },
    }),
    account({
      id: 'A3',
      name: 'glm-backup',
      url: 'https://open.bigmodel.example/api/anthropic',
      priority: 200,
      hasProxy: true,
      modelMapping: [{ from: 'claude-*', to: 'glm-4.6' }],
      state: {
        ...ready,
        name: 'COOLING_DOWN',
        since: ago(18),
        until: ahead(42),
        nextProbeAt: ahead(30),
        reason: 'connection refused by open.bigmodel.example:443, through proxy 10.0.0.2:1080 (ECONNREFUSED)',
        failure: { code: 'CONNECTION_REFUSED', place: '10.0.0.2:1080 → open.bigmodel.example:443' },
      },
      successRate: 0.712,
      lastError: {
        startedAt: ago(18),
        modelSent: 'glm-4.6',
        httpStatus: null,
        errorType: 'ECONNREFUSED',
        errorCode: 'connection_refused',
        failure: { code: 'CONNECTION_REFUSED', place: '10.0.0.2:1080 → open.bigmodel.example:443' },
      },
      usageToday: { ...totals, cost: '1926000', requests: 7 },
    }),
    account({
      id: 'A4',
      name: 'old-team-account',
      platform: 'CLAUDE',
      login: { ...login, renews: false, refreshFailure: 'The token endpoint answered 400 invalid_grant.' },
      limitGauges: [gauge('5h', 0.4, -600), gauge('7d', 0.12, 500_000)],
      state: { ...ready, name: 'REAUTH_REQUIRED', since: ago(7200), reason: '401 after a forced refresh' },
      usageToday: zero,
    }),
    account({
      id: 'A5',
      name: 'prepaid',
      groups: [groups[1]],
      successRate: 0.4,
      state: { ...ready, name: 'OUT_OF_CREDIT', since: ago(90_000), reason: 'credit balance is too low' },
      usageToday: zero,
    }),
    account({
      id: 'A6',
      name: 'spare',
      enabled: false,
      usageToday: zero,
      state: {
        ...ready,
        models: [
          { model: 'claude-opus-4-6', until: ahead(600), reason: '403 permission_error', nextProbeAt: ahead(25) },
        ],
      },
    }),
  ]
  const key = (row: Row): Row => ({
    group: groups[0],
    owner: user,
    models: [],
    ...limits,
    requestsPerMinute: null,
    tokensPerMinute: null,
    concurrency: null,
    validForDays: null,
    allowedAddresses: [],
    allowedClients: [],
    dailyLimit: null,
    totalLimit: null,
    spentToday: '0',
    spentTotal: '0',
    dayResetsAt: ahead(30_000),
    expiresAt: null,
    enabled: true,
    previousSecretUntil: null,
    createdAt: ago(80_000),
    lastUsedAt: ago(12),
    ...row,
  })
  const keys: Row[] = [
    key({
      id: 'K1',
      name: 'laptop-anna',
      secretHint: 'sk-ccr-…9fQ2',
      dailyLimit: '5000000000',
      totalLimit: '200000000000',
      spentToday: '1284190250',
      weeklyLimit: '20000000000',
      rollingLimit: '3000000000',
      requestsPerMinute: 120,
      allowedClients: ['claude-cli/*'],
      spentTotal: '48312000000',
    }),
    key({
      id: 'K2',
      name: 'ci-runner',
      secretHint: 'sk-ccr-…Lm0a',
      dailyLimit: '2000000000',
      spentToday: '1720000000',
      spentTotal: '31000000000',
      previousSecretUntil: ahead(3500),
      expiresAt: ahead(520_000),
    }),
    key({
      id: 'K3',
      name: '研发共享',
      group: groups[1],
      secretHint: 'sk-ccr-…77xz',
      dailyLimit: '10000000000',
      totalLimit: '10000000000',
      spentToday: '9800000000',
      spentTotal: '9990000000',
    }),
    key({
      id: 'K4',
      name: 'trial',
      secretHint: 'sk-ccr-…aaB1',
      spentTotal: '1926',
      expiresAt: ago(9000),
      enabled: false,
      lastUsedAt: null,
    }),
  ]
  const rejection = (row: Row): Row => ({ apiKey: null, secretHash: null, user: null, group: null, ...row })
  const rejections: Row[] = [
    rejection({
      reason: 'LIMIT_REACHED',
      requests: 1204,
      lastAt: ago(70),
      message: 'The daily limit of this key ($2.00) is reached. It resets at 2026-12-02T00:00:00+08:00.',
      apiKey: keys[1],
      user,
      group: groups[0],
    }),
    rejection({
      reason: 'KEY_UNKNOWN',
      requests: 3,
      lastAt: ago(900),
      message: 'This API key is not known here.',
      secretHash: '9f2c41aa',
    }),
    rejection({
      reason: 'MODEL_NOT_ALLOWED',
      requests: 2,
      lastAt: ago(4000),
      message: 'This key may not use claude-opus-4-6.',
      apiKey: keys[0],
      user: anna,
      group: groups[0],
    }),
  ]
  const summaryOf = (found: readonly Row[]): Row => ({
    requests: found.reduce((sum, { requests }) => sum + Number(requests), 0),
    reasons: found,
  })
  const keyDetail = (id: string): Row => ({
    __typename: 'ApiKey',
    ...keys.find((row) => row['id'] === id),
    rejections: summaryOf(rejections.filter(({ apiKey }) => (apiKey as Row | null)?.['id'] === id)),
    seen: [
      { kind: 'ADDRESS', value: '10.0.4.17', firstSeenAt: ago(500_000), lastSeenAt: ago(12) },
      { kind: 'ADDRESS', value: '2001:db8::17', firstSeenAt: ago(90_000), lastSeenAt: ago(80_000) },
      { kind: 'CLIENT', value: 'claude-cli/2.1.14 (external, cli)', firstSeenAt: ago(500_000), lastSeenAt: ago(12) },
    ],
  })
  const flags: Row = {
    maxTokensField: 'AUTO',
    maxTokensCap: null,
    systemRole: 'SYSTEM',
    echoReasoning: false,
    strictAlternation: false,
    images: true,
    pdf: false,
    streamOptions: true,
    forcedToolChoice: true,
    efforts: null,
    omit: [],
  }
  const preset = (name: string, label: string, row: Row): Row => ({
    name,
    label,
    platform: 'CONSOLE',
    authHeader: 'BEARER',
    isLocal: false,
    modelMapping: [],
    formatFlags: flags,
    ...row,
  })
  const presets: Row[] = [
    preset('anthropic', 'Anthropic API', { url: 'https://api.anthropic.com', authHeader: 'X_API_KEY' }),
    preset('glm', 'GLM (Z.ai, 智谱)', {
      url: 'https://glm.example/api/anthropic',
      modelMapping: [{ from: 'claude-*', to: 'glm-5.3' }],
    }),
    preset('azure', 'Azure OpenAI', {
      platform: 'OPENAI',
      url: 'https://RESOURCE.example/openai/v1',
      authHeader: 'API_KEY',
      formatFlags: { ...flags, echoReasoning: true },
    }),
    preset('ollama', 'Ollama', { platform: 'OPENAI', url: 'http://127.0.0.1:11434/v1', isLocal: true }),
  ]
  const tokens = { input: 1203, output: 842, cacheWrite5m: 2048, cacheWrite1h: 0, cacheRead: 48_211, thinking: 300 }
  const log = (row: Row): Row => ({
    status: 'SETTLED',
    startedAt: ago(75),
    apiKey: keys[0],
    account: accounts[0],
    user,
    group: groups[0],
    platform: 'CONSOLE',
    modelRequested: 'claude-sonnet-4-6',
    modelSent: 'claude-sonnet-4-6',
    modelBilled: 'claude-sonnet-4-6-20260114',
    stream: true,
    outcome: 'COMPLETED',
    httpStatus: 200,
    errorType: null,
    stopReason: 'end_turn',
    attemptCount: 2,
    firstByteMs: 812,
    durationMs: 14_320,
    tokens,
    webSearches: 0,
    usageSource: 'FINAL',
    usageRaw: {},
    flags: ['clamped'],
    cost: '38412900',
    billed: '38412900',
    costParts: { input: '3609000', output: '12630000', cacheWrite: '7680000', cacheRead: '14463300', units: '30600' },
    priceCardId: 'claude-sonnet-4-6@2026-01',
    priceSource: 'EXACT',
    sessionId: '0b9f6a2e-43c2-4e0e-9d8f-1f9a8a0c7d11',
    agentId: null,
    clientIp: '10.0.4.17',
    userAgent: 'claude-cli/2.1.14 (external, cli)',
    ...row,
    attempts: [
      {
        number: 1,
        account: accounts[1],
        modelSent: 'claude-sonnet-4-6',
        outcome: 'LIMITED',
        httpStatus: 429,
        errorType: 'rate_limit_error',
        errorCode: null,
        upstreamRequestId: 'req_011CUa7',
        startedAt: ago(75),
        firstByteMs: null,
        durationMs: 310,
        charged: false,
        tokens,
        cost: '0',
      },
      {
        number: 2,
        account: accounts[0],
        modelSent: 'claude-sonnet-4-6',
        outcome: 'ANSWERED',
        httpStatus: 200,
        errorType: null,
        errorCode: null,
        upstreamRequestId: 'req_011CUa9xPqT',
        startedAt: ago(74),
        firstByteMs: 812,
        durationMs: 14_010,
        charged: true,
        tokens,
        cost: '38412900',
      },
    ],
  })
  const logs: Row[] = [
    log({ requestId: 'req_a1' }),
    log({
      requestId: 'req_a2',
      startedAt: ago(140),
      modelRequested: 'claude-haiku-4-5',
      cost: '1926000',
      apiKey: keys[1],
      durationMs: 900,
      attemptCount: 1,
    }),
    log({
      requestId: 'req_a3',
      startedAt: ago(300),
      outcome: 'FAILED',
      httpStatus: 529,
      errorType: 'overloaded_error',
      cost: '0',
      account: null,
      firstByteMs: null,
    }),
    log({
      requestId: 'req_a4',
      startedAt: ago(800),
      outcome: 'ABORTED',
      modelRequested: 'claude-opus-4-6',
      cost: '412000000',
      apiKey: keys[2],
      durationMs: 92_000,
    }),
  ]
  const running: Row[] = [
    {
      requestId: 'req_r1',
      startedAt: ago(18),
      apiKey: keys[0],
      account: accounts[0],
      modelRequested: 'claude-sonnet-4-6',
      stream: true,
      attemptCount: 1,
      queuePosition: null,
      firstByteMs: 640,
      tokens: { input: 51_462, output: 418 },
    },
    {
      requestId: 'req_r2',
      startedAt: ago(3),
      apiKey: keys[1],
      account: null,
      modelRequested: 'claude-opus-4-6',
      stream: true,
      attemptCount: 2,
      queuePosition: null,
      firstByteMs: null,
      tokens: { input: 0, output: 0 },
    },
  ].map((row) => ({ status: 'RUNNING', group: groups[0], ...row }))

  const step = (row: Row): Row => ({
    model: null,
    until: null,
    nextProbeAt: null,
    cause: 'REQUEST',
    requestId: null,
    httpStatus: null,
    errorType: null,
    errorCode: null,
    errorMessage: null,
    ...row,
  })
  const steps: Row[] = [
    step({
      at: ago(18),
      from: 'READY',
      to: 'COOLING_DOWN',
      until: ahead(42),
      nextProbeAt: ahead(30),
      reason: 'connection refused by open.bigmodel.example:443, through proxy 10.0.0.2:1080 (ECONNREFUSED)',
      errorType: 'ECONNREFUSED',
      errorCode: 'connection_refused',
      failure: { code: 'CONNECTION_REFUSED', place: '10.0.0.2:1080 → open.bigmodel.example:443' },
      requestId: 'req_a3',
    }),
    step({ at: ago(3700), from: 'RECOVERING', to: 'READY', cause: 'PROBE', reason: 'a probe was answered' }),
    step({ at: ago(3705), from: 'COOLING_DOWN', to: 'RECOVERING', cause: 'TIME', reason: 'its time was over' }),
    step({
      at: ago(4000),
      from: 'READY',
      to: 'COOLING_DOWN',
      until: ago(3705),
      reason: '502 api_error',
      httpStatus: 502,
      errorType: 'api_error',
      errorMessage: 'upstream connect error or disconnect/reset before headers',
      requestId: 'req_a9',
    }),
    step({ at: ago(90_000), from: 'RATE_LIMITED', to: 'READY', cause: 'PERSON', reason: 'cleared by hand' }),
    step({
      at: ago(91_000),
      from: 'READY',
      to: 'RATE_LIMITED',
      model: 'glm-4.6',
      until: ago(88_000),
      reason: 'rate limit',
      httpStatus: 429,
      errorType: 'rate_limit_error',
      errorCode: '1302',
    }),
  ]
  const decision = {
    at: ago(75),
    model: 'claude-sonnet-4-6',
    candidates: [
      { reason: 'CHOSEN', until: null, account: accounts[0] },
      { reason: 'NOT_READY', until: ahead(5100), account: accounts[1] },
      { reason: 'LOWER_PRIORITY', until: null, account: accounts[2] },
      { reason: 'DISABLED', until: null, account: accounts[5] },
    ],
    counts: [
      { reason: 'CHOSEN', count: 1 },
      { reason: 'NOT_READY', count: 3 },
      { reason: 'LOWER_PRIORITY', count: 1 },
      { reason: 'DISABLED', count: 1 },
    ],
  }

  const rule = (row: Row): Row => ({
    enabled: true,
    platform: null,
    status: null,
    errorType: null,
    code: null,
    message: null,
    effect: 'RATE_LIMIT',
    scope: 'ACCOUNT',
    durationSeconds: null,
    createdAt: ago(4000),
    ...row,
  })
  const rules: Row[] = isEmpty
    ? []
    : [
        rule({ id: 'R1', name: 'Plan used up', status: '400', code: 'plan_*', durationSeconds: 3600 }),
        rule({
          id: 'R2',
          name: '余额不足',
          platform: 'CONSOLE',
          status: '400-403',
          message: '您的账户余额不足*',
          effect: 'OUT_OF_CREDIT',
        }),
        rule({
          id: 'R3',
          name: 'Context too long, said as a failure of the server by gateways of one kind',
          status: '500',
          errorType: 'new_api_error',
          message: 'the context length of this model is exceeded*',
          effect: 'PASS',
          enabled: false,
        }),
      ]
  const meaning = (row: Row): Row => ({ isRule: false, scope: 'ACCOUNT', durationSeconds: null, ...row })
  const builtInRow = (name: string, effect: string, row: Row = {}, means: Row = {}): Row => ({
    status: null,
    errorType: null,
    code: null,
    message: null,
    limits: null,
    ...row,
    means: meaning({ name, effect, ...means }),
  })
  const builtIn: Row[] = [
    builtInRow('organisation on hold', 'OUT_OF_CREDIT', { status: '400', code: 'organization_on_hold' }),
    builtInRow('no credit', 'OUT_OF_CREDIT', { status: '400', message: '^your credit balance is too low' }),
    builtInRow('codes of the request', 'PASS', {
      status: '400',
      code: '^(thread_|claude_code_version_too_old|image_dimensions)',
    }),
    builtInRow('model unknown (404)', 'NEXT_ACCOUNT', { status: '404', errorType: 'not_found_error' }),
    builtInRow('login refused', 'REQUIRE_REAUTH', { status: '401' }),
    builtInRow('model refused', 'RATE_LIMIT', { status: '403' }, { scope: 'MODEL', durationSeconds: 300 }),
    builtInRow('window of some models used up', 'RATE_LIMIT', { status: '429', limits: 'family' }, { scope: 'FAMILY' }),
    builtInRow('throttled', 'NEXT_ACCOUNT', { status: '429', limits: 'unsaid' }),
    builtInRow('server error', 'COOL_DOWN', { status: '500-599' }),
    builtInRow(
      'overloaded within the stream',
      'RATE_LIMIT',
      { status: 'event', errorType: 'overloaded_error' },
      { durationSeconds: 3 },
    ),
    builtInRow("the request's own fault (400)", 'PASS', { status: '400' }),
    builtInRow('anything else', 'COOL_DOWN'),
  ]
  const tryRule = (input: Row): Row => {
    if (!input['code'] && !input['message']) return refuse('code', 'RULE_TOO_WIDE')
    const mine = meaning({ ...input, isRule: true, scope: input['scope'] ?? 'ACCOUNT' })
    const passed = meaning({ name: "the request's own fault (400)", effect: 'PASS' })
    const failure = (row: Row): Row => ({
      platform: 'CONSOLE',
      status: '400',
      errorType: 'invalid_request_error',
      code: '',
      outcome: 'CALLER',
      lastAt: ago(900),
      today: [passed],
      ...row,
    })
    return {
      __typename: 'TestErrorRuleSuccess',
      since: ago(86_400),
      attempts: isEmpty ? 0 : 61,
      touchedAttempts: 12,
      touchedAccounts: isEmpty ? [] : [accounts[2], accounts[4]],
      failures: isEmpty
        ? []
        : [
            failure({
              code: 'plan_used_up',
              attempts: 12,
              match: 'YES',
              accounts: [accounts[2], accounts[4]],
              withRule: [mine],
            }),
            failure({ attempts: 41, match: 'MAYBE', accounts: [accounts[0]], withRule: [mine, passed] }),
            failure({
              status: '429',
              errorType: 'rate_limit_error',
              outcome: 'LIMITED',
              attempts: 6,
              match: 'NO',
              accounts: [],
              withRule: [passed],
            }),
            failure({
              status: '529',
              errorType: 'overloaded_error',
              outcome: 'FAILING',
              attempts: 2,
              match: 'NO',
              accounts: [],
              withRule: [passed],
            }),
          ],
      sample: input['sample']
        ? { errorType: 'invalid_request_error', code: 'plan_used_up', matches: true, today: passed, withRule: mine }
        : null,
    }
  }

  const session = { isOpen: true, needsSetup: false }
  const claude: Row = {
    enabled: true,
    notice:
      'The terms of Claude subscriptions (Free, Pro, Max) do not let anybody route the requests of other people through them. ' +
      "Use this platform only for subscriptions of your own and for yourself; for a team, use accounts with API keys. The vendor's " +
      'terms decide, and they change. This part of the relay was verified against an emulation of the vendor, not against the vendor.',
    acknowledgedAt: ago(200_000),
    acknowledgedBy: user,
  }
  const said: Row[] = []
  const opened = (input: Row): Row | null => {
    said.push(input)
    if (input['platform'] === 'CLAUDE' && !claude['enabled']) return refuse('platform', 'CLAUDE_ACCOUNTS_OFF')
    const { code = '', credentialsFile = '' } = (input['login'] ?? {}) as Record<string, string>
    if (code.startsWith('spent')) return refuse('login.code', 'LOGIN_CODE_REFUSED', { reason: 'It is spent.' })
    return credentialsFile.includes('nonsense') ? refuse('login.credentialsFile', 'CREDENTIALS_FILE_NOT_JSON') : null
  }
  const added = (rows: Row[], row: Row): Row => {
    rows.unshift(row)
    return row
  }
  const connection =
    (rows: Row[]) =>
    ({ filter }: { filter?: Row }) => {
      const { search, platforms, ownerIds, enabled } = filter ?? {}
      const isOneOf = (wanted: unknown, value: unknown) => !Array.isArray(wanted) || wanted.includes(value)
      const found = (isEmpty ? [] : rows)
        .filter((row) => typeof search !== 'string' || String(row['name'] ?? row['username']).includes(search))
        .filter((row) => isOneOf(platforms, row['platform']))
        .filter((row) => isOneOf(ownerIds, (row['owner'] as Row | null | undefined)?.['id']))
        .filter((row) => typeof enabled !== 'boolean' || row['enabled'] === enabled)
      return {
        edges: found.map((node) => ({ cursor: 'c', node })),
        pageInfo: { hasNextPage: false, hasPreviousPage: false },
      }
    }
  const grant = (type: string) => {
    session.isOpen = true
    return { __typename: type, session: { accessToken: 'mock', expiresAt: ahead(900), expiresInSeconds: 900, user } }
  }
  const listeners = new Set<(events: Row[]) => void>()
  const dayTotals = {
    requests: isEmpty ? 0 : 1284,
    failures: isEmpty ? 0 : 3,
    rejected: isEmpty ? 0 : 1209,
    tokens: isEmpty ? 0 : 8_412_331,
    cost: isEmpty ? '0' : '12483190250',
  }
  const root: Row = {
    deployment: () => ({
      version: '0.1.0',
      baseUrl: 'https://relay.example.com/claude-code',
      timeZone: 'Asia/Shanghai',
      needsSetup: session.needsSetup,
    }),
    viewer: () => ({ user, sessionExpiresAt: ahead(900) }),
    groups: connection(groups),
    accounts: connection(accounts),
    apiKeys: connection(keys),
    requests: () => ({ cursor: '1-0.0', nodes: isEmpty ? [] : logs }),
    request: ({ requestId }: { requestId: string }) => logs.find((row) => row['requestId'] === requestId) ?? null,
    liveRequests: () => ({ cursor: '1-0.0', nodes: isEmpty ? [] : running }),
    users: connection(users),
    node: ({ id }: { id: string }) =>
      id.startsWith('K')
        ? keyDetail(id)
        : {
            ...groups.find((row) => row['id'] === id),
            members: accounts.filter(({ groups: served }) => (served as Row[]).some((group) => group['id'] === id)),
            __typename: id.startsWith('G') ? 'Group' : 'Account',
            ...accounts.find((row) => row['id'] === id),
            limitGaugeHistory: ({ window }: { window: string }) =>
              Array.from({ length: 60 }, (_, index) => ({
                at: ago((60 - index) * (window.startsWith('7d') ? 10_000 : 1400)),
                status: 'allowed',
                utilization: window === 'overage' ? null : (index % 20) / 20,
                resetAt: null,
              })),
            probes: {
              nodes: (id === 'A3' ? [false, true] : []).map((ok, index) => ({
                at: ago(20 + index * 3680),
                ok,
                status: ok ? 200 : null,
                durationMs: ok ? 734 : 10_000,
                model: index === 1 ? 'claude-opus-4-6' : null,
                message: ok ? 'It answered.' : 'connection refused by proxy 10.0.0.2:1080 (ECONNREFUSED)',
                code: ok ? 'ANSWERED' : null,
                failure: ok ? null : { code: 'PROXY_CONNECTION_REFUSED', place: '10.0.0.2:1080' },
                cost: ok ? '1926' : '0',
              })),
            },
            timeline: {
              edges: (id === 'A3' ? steps : []).map((node) => ({ cursor: 'c', node })),
              pageInfo: { hasNextPage: false, hasPreviousPage: false },
            },
          },
    rejections: ({ filter }: { filter?: Row }) => {
      const { reasons, apiKeyIds } = filter ?? {}
      const isOneOf = (wanted: unknown, value: unknown) => !Array.isArray(wanted) || wanted.includes(value)
      const found = (isEmpty ? [] : rejections)
        .filter(({ reason }) => isOneOf(reasons, reason))
        .filter(({ apiKey }) => isOneOf(apiKeyIds, (apiKey as Row | null)?.['id']))
      return {
        edges: found.map((node) => ({ cursor: 'c', node })),
        pageInfo: { hasNextPage: false, hasPreviousPage: false },
        summary: summaryOf(found),
      }
    },
    fallbackPricedModels: () =>
      isEmpty
        ? []
        : [
            { model: 'gemini-4-ultra-preview', requestCount: 312, cost: '18231900000', lastAt: ago(300) },
            { model: 'mistral-large-4', requestCount: 1, cost: '1926000', lastAt: ago(500_000) },
          ].map((row) => ({
            ...row,
            inputTokens: 412_000,
            cacheReadTokens: 3_120_000,
            cacheWriteTokens: 96_000,
            outputTokens: 58_300,
          })),
    accountPresets: () => presets,
    createUser: ({ input }: { input: Row }) =>
      users.some((row) => row['username'] === input['username'])
        ? refuse('username', 'TAKEN')
        : { __typename: 'CreateUserSuccess', user: added(users, { ...user, ...input, id: 'U9' }) },
    updateUser: ({ input }: { input: Row }) => {
      said.push(input)
      if (input['id'] === 'U1' && (input['enabled'] === false || input['role'] === 'USER'))
        return failed('ConflictFailure', 'LAST_ADMINISTRATOR')
      const found = users.find((row) => row['id'] === input['id'])!
      return { __typename: 'UpdateUserSuccess', user: Object.assign(found, input) }
    },
    updateApiKey: ({ input }: { input: Row }) => {
      said.push(input)
      const wrong = (input['allowedAddresses'] as string[] | undefined)?.findIndex((text) => text.startsWith('300.'))
      if (wrong !== undefined && wrong >= 0) return refuse(`allowedAddresses[${wrong}]`, 'NETWORK_MALFORMED')
      const found = keys.find((row) => row['id'] === input['id'])!
      return { __typename: 'UpdateApiKeySuccess', apiKey: Object.assign(found, input) }
    },
    claudeAccounts: () => claude,
    updateClaudeAccounts: ({ input: { enabled } }: { input: { enabled: boolean } }) => {
      Object.assign(claude, { enabled, ...(enabled && { acknowledgedAt: ago(1), acknowledgedBy: user }) })
      return { __typename: 'UpdateClaudeAccountsSuccess', claudeAccounts: claude }
    },
    beginClaudeLogin: () => ({
      __typename: 'BeginClaudeLoginSuccess',
      url: `https://claude.example/oauth/authorize?code=true&client_id=9d1c250a-e61b-44d9-88ed-5944d1962f5e&response_type=code&scope=user%3Aprofile+user%3Ainference&code_challenge=${'a'.repeat(43)}&code_challenge_method=S256&state=${'s'.repeat(43)}`,
      state: 's'.repeat(43),
      expiresAt: ahead(600),
    }),
    createAccount: ({ input }: { input: Row }) =>
      opened(input) ?? {
        __typename: 'CreateAccountSuccess',
        account: added(
          accounts,
          account({ id: 'A9', ...input, ...never, groups: [groups[0]], login, modelMapping: [] }),
        ),
      },
    updateAccount: ({ input }: { input: Row }) => {
      const found = accounts.find((row) => row['id'] === input['id'])!
      const fresh = input['login'] ? { login, state: ready } : {}
      const failure = opened(input)
      if (!failure) Object.assign(found, { plan: input['plan'] ?? found['plan'], ...fresh })
      return failure ?? { __typename: 'UpdateAccountSuccess', account: found }
    },
    probeAccount: () => ({
      __typename: 'ProbeAccountSuccess',
      probe: { ok: false, message: '529 overloaded_error', code: null, failure: null },
    }),
    jobs: () =>
      [
        { name: 'probe', everySeconds: 10, next: 4, run: runWords('probed', { asked: 2, back: 1 }) },
        { name: 'release', everySeconds: 5, next: 3, run: runWords('rests_ended', { rests: 1 }) },
        {
          name: 'prune',
          everySeconds: 3600,
          next: 1800,
          run: runWords('pruned', { steps: 12, points: 7, runs: 40, sessions: 3, tries: 9 }),
        },
        { name: 'drift', everySeconds: 900, next: 300, run: runWords('took_too_long') },
        { name: 'refresh', everySeconds: 60, next: 41, run: null },
      ].map(({ name, everySeconds, next, run }) => ({
        name: name.toUpperCase(),
        everySeconds,
        nextAt: ahead(next),
        lastRun: run && {
          at: ago(70),
          durationMs: 31,
          outcome: run.code === 'took_too_long' ? 'FAILED' : 'DONE',
          message: run.message,
          code: run.code.toUpperCase(),
          counts: Object.entries(run.counts).map(([word, count]) => ({ name: word, count })),
        },
      })),
    runJob: ({ input: { name } }: { input: { name: string } }) =>
      name === 'PROBE' ? { __typename: 'RunJobSuccess', job: { name } } : failed('ConflictFailure', 'JOB_RUNNING'),
    errorRules: () => rules,
    builtInErrorRules: () => builtIn,
    testErrorRule: ({ input }: { input: Row }) => tryRule(input),
    createErrorRule: ({ input }: { input: Row }) => {
      rules.push(rule({ ...input, id: 'R9' }))
      return { __typename: 'CreateErrorRuleSuccess', errorRule: rules.at(-1) }
    },
    updateErrorRule: ({ input }: { input: Row }) => ({
      __typename: 'UpdateErrorRuleSuccess',
      errorRule: Object.assign(rules.find((row) => row['id'] === input['id'])!, input),
    }),
    deleteErrorRule: () => ({ __typename: 'DeleteErrorRuleSuccess', deletedId: 'R1' }),
    reorderErrorRules: ({ input: { ids } }: { input: { ids: string[] } }) => {
      rules.sort((one, other) => ids.indexOf(String(one['id'])) - ids.indexOf(String(other['id'])))
      return { __typename: 'ReorderErrorRulesSuccess', errorRules: rules }
    },
    settings: () => settings,
    updateSettings: ({ input }: { input: Row }) => {
      const networks = (input['upstreamAllow'] ?? []) as string[]
      if (networks.some((network) => network.startsWith('300.'))) {
        return refuse('upstreamAllow', 'NETWORKS_MALFORMED', { wrong: '300.0.0.1' })
      }
      said.push(input)
      return { __typename: 'UpdateSettingsSuccess', settings: Object.assign(settings, input) }
    },
    routeTrace: ({ requestId }: { requestId: string }) => ({ requestId, attempts: [], decisions: [decision] }),
    simulateRoute: () => ({ keyProblem: null, decision }),
    transferOwnership: ({ input: { id } }: { input: { id: string } }) => {
      for (const row of [...groups, ...accounts, ...keys]) if (row['id'] === id) row['owner'] = anna
      return { __typename: 'TransferOwnershipSuccess', owner: anna }
    },
    changePassword: ({ input }: { input: Row }) => {
      if (input['currentPassword'] === 'wrong') return refuse('currentPassword', 'WRONG')
      user['mustChangePassword'] = false
      return { __typename: 'ChangePasswordSuccess', user }
    },
    rotateApiKey: ({ input }: { input: Row }) => ({
      __typename: 'RotateApiKeySuccess',
      secret: input['secret'] ?? 'sk-ccr-rotated-0123456789',
      apiKey: keys.find((row) => row['id'] === input['id']),
    }),
    refreshSession: () => (session.isOpen ? grant('RefreshSessionSuccess') : failed('SignInFailure', 'SESSION_OVER')),
    signIn: ({ input }: { input: Row }) =>
      input['password'] === 'wrong' ? failed('SignInFailure', 'CREDENTIALS_WRONG') : grant('SignInSuccess'),
    completeSetup: ({ input }: { input: Row }) =>
      String(input['password']).length < 12
        ? refuse('password', 'TOO_SHORT', { min: 12 })
        : grant('CompleteSetupSuccess'),
    signOut: () => {
      session.isOpen = false
      return { __typename: 'SignOutSuccess', endedSessionId: null }
    },
    createApiKey: ({ input }: { input: Row }) => ({
      __typename: 'CreateApiKeySuccess',
      secret: 'sk-ccr-Zr8mJ2xV0cQeN5tWb1LkYp7HdFs3GaUi',
      apiKey: added(keys, key({ id: 'K9', secretHint: 'sk-ccr-…GaUi', ...input, lastUsedAt: null })),
    }),
    createGroup: ({ input }: { input: Row }) =>
      groups.some((row) => row['name'] === input['name'])
        ? refuse('name', 'TAKEN')
        : { __typename: 'CreateGroupSuccess', group: added(groups, { ...groups[2], ...input, id: 'G9' }) },
    updateGroup: ({ input }: { input: Row }) => ({
      __typename: 'UpdateGroupSuccess',
      group: Object.assign(groups.find((row) => row['id'] === input['id'])!, input),
    }),
    deleteApiKey: ({ input: { id } }: { input: Row }) => {
      keys.splice(
        keys.findIndex((row) => row['id'] === id),
        1,
      )
      return { __typename: 'DeleteApiKeySuccess', deletedId: id }
    },
    deleteGroup: () => failed('ConflictFailure', 'GROUP_HAS_ACCOUNTS', { count: 4 }),
    testAccount: ({ input }: { input: Row }) => ({
      __typename: 'TestAccountSuccess',
      account: Object.assign(accounts.find((row) => row['id'] === input['id'])!, { isTested: true, successRate: 1 }),
      ok: true,
      latencyMs: 734,
      status: 200,
      message: '',
      failure: null,
    }),
    costTotals: async function* () {
      const day = new Date().toISOString().slice(0, 10)
      const message = (__typename: string, sums: Row) => ({
        costTotals: { cursor: '1-0.0', gap: null, events: [{ __typename, day, ...sums }] },
      })
      yield message('CostTotalsSnapshot', dayTotals)
      for await (const events of listen()) {
        for (const event of events) {
          const settled = event['settled'] as Row | undefined
          if (!settled) continue
          yield message('CostTotalsDelta', {
            requests: 1,
            failures: 0,
            rejected: 0,
            tokens: 1000,
            cost: settled['cost'],
          })
        }
      }
    },
    requestEvents: async function* () {
      for await (const events of listen()) yield { requestEvents: message(events, requestTypes) }
    },
    accountEvents: async function* () {
      for await (const events of listen()) yield { accountEvents: message(events, { account: 'AccountChanged' }) }
    },
  }

  async function* listen(): AsyncGenerator<Row[]> {
    const queue: Row[][] = []
    let wake = () => {}
    const hear = (events: Row[]) => {
      queue.push(events)
      wake()
    }
    listeners.add(hear)
    try {
      while (true) {
        const next = queue.shift()
        if (next) yield next
        else
          await new Promise<void>((done) => {
            wake = done
          })
      }
    } finally {
      listeners.delete(hear)
    }
  }

  return {
    root,
    session,
    user,
    keys,
    rules,
    running,
    claude,
    said,
    listening: () => listeners.size,
    forget: () => listeners.clear(),
    push: (...events) => {
      for (const hear of listeners) hear(events)
    },
  }
}

const requestTypes = { started: 'RequestStarted', progress: 'RequestProgressed', settled: 'RequestSettled' }

/** What a subscription sends of the events that were pushed: those of the given kinds. */
function message(pushed: readonly Row[], types: Record<string, string>): Row {
  const events = pushed.flatMap((event) =>
    Object.entries(types).flatMap(([kind, __typename]) => {
      const about = event[kind] as Row | undefined
      if (!about) return []
      const { steps, ...account } = about
      return [
        kind === 'account'
          ? { __typename, account: { __typename: 'Account', ...account }, steps }
          : { __typename, request: about },
      ]
    }),
  )
  return { cursor: '1-0.0', gap: pushed.find((event) => event['gap'])?.['gap'] ?? null, events }
}

const failed = (__typename: string, code: string, values: Row | null = null): Row => ({
  __typename,
  code,
  values,
  message: code,
})

function refuse(path: string, code: string, values: Row | null = null): Row {
  return { ...failed('InputFailure', 'INPUT_INVALID'), fields: [{ path, code, values, message: code }] }
}
