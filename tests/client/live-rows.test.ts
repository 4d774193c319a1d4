import { describe, expect, test } from 'vitest'
import { resumable } from '../../client/data/resume.ts'
import type {
  CostTotals,
  LiveEvent,
  LoggedRequest,
  RunningRequest,
  SettledRequest,
} from '../../client/graphql/live-operations.ts'
import { addTotals } from '../../client/pages/live/day-totals.ts'
import { applyEvents, applyResponse, noRows } from '../../client/pages/live/live-rows.ts'

const running = (requestId: string, outputTokens = 0): RunningRequest => ({
  requestId,
  startedAt: '2026-11-23T07:00:00Z',
  apiKeyName: 'k',
  accountName: null,
  model: 'm',
  stream: true,
  attempt: 1,
  queuePosition: null,
  firstByteMs: null,
  inputTokens: 1,
  outputTokens,
})
const settled = (requestId: string, durationMs = 10): SettledRequest => ({
  requestId,
  startedAt: '2026-11-23T07:00:00Z',
  apiKeyName: 'k',
  accountName: 'a',
  model: 'm',
  stream: true,
  outcome: 'COMPLETED',
  httpStatus: 200,
  errorType: '',
  attemptCount: 1,
  firstByteMs: 1,
  durationMs,
  inputTokens: 1,
  outputTokens: 2,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  cost: '5',
})
const event = (part: Partial<LiveEvent>): LiveEvent => ({
  sequence: '1',
  gap: null,
  started: null,
  progress: null,
  settled: null,
  ...part,
})
const logged = (requestId: string): { node: LoggedRequest } => {
  const {
    apiKeyName: _key,
    accountName: _account,
    model,
    inputTokens: input,
    outputTokens: output,
    ...rest
  } = settled(requestId)
  const tokens = { input, output, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0 }
  return { node: { ...rest, modelRequested: model, apiKey: { name: 'k' }, account: null, tokens } }
}

describe('live rows', () => {
  test('a request appears, fills and settles', () => {
    let rows = applyEvents(noRows, [event({ started: running('r') }), event({ progress: running('r', 40) })])
    expect(rows.running.get('r')?.outputTokens).toBe(40)
    rows = applyEvents(rows, [event({ settled: settled('r') })])
    expect(rows.running.size).toBe(0)
    expect(rows.settled.map((row) => row.requestId)).toEqual(['r'])
  })

  test('late progress does not wake an ended request, and an event sent twice counts once', () => {
    const rows = applyEvents(noRows, [
      event({ settled: settled('r') }),
      event({ progress: running('r') }),
      event({ settled: settled('r') }),
    ])
    expect(rows.running.size).toBe(0)
    expect(rows.settled).toHaveLength(1)
  })

  test('a response that events overtook does not bring back what has ended, nor lose what has begun', () => {
    const overtaking = [event({ settled: settled('old') }), event({ started: running('new') })]
    const before = applyEvents(noRows, overtaking)
    const rows = applyResponse({ liveRequests: [running('old')], logs: { edges: [] } }, before, overtaking)
    expect([...rows.running.keys()]).toEqual(['new'])
    expect(rows.settled.map((row) => row.requestId)).toEqual(['old'])
  })

  test('a row read from the log and received as an event is one row', () => {
    const before = applyEvents(noRows, [event({ settled: settled('a') })])
    const rows = applyResponse({ liveRequests: [], logs: { edges: [logged('a'), logged('b')] } }, before, [])
    expect(new Set(rows.settled.map((row) => row.requestId))).toEqual(new Set(['a', 'b']))
  })

  test('requests that the server no longer knows go when the lists are read again', () => {
    const before = applyEvents(noRows, [event({ started: running('lost in a restart') })])
    expect(applyResponse({ liveRequests: [], logs: { edges: [] } }, before, []).running.size).toBe(0)
  })
})

describe("today's totals", () => {
  const totals = (part: Partial<CostTotals>): CostTotals => ({
    revision: '1',
    snapshot: false,
    day: '2026-11-23',
    requests: 1,
    failures: 0,
    tokens: 10,
    cost: '9007199254740993',
    ...part,
  })
  test('snapshot plus deltas is exact beyond 2^53; a delta that the snapshot holds is not added again', () => {
    let sum = addTotals(undefined, totals({ snapshot: true, revision: '9' }))
    sum = addTotals(sum, totals({ revision: '9' }))
    sum = addTotals(sum, totals({ revision: '10', cost: '1' }))
    expect(sum).toMatchObject({ requests: 2, tokens: 20, cost: '9007199254740994', revision: '10' })
  })
  test('a delta before any snapshot is not a total', () => expect(addTotals(undefined, totals({}))).toBeUndefined())
  test('a new snapshot replaces all, also with a smaller revision after a restart', () => {
    const sum = addTotals(
      totals({ snapshot: true, revision: '900' }),
      totals({ snapshot: true, revision: '2', cost: '7' }),
    )
    expect(sum).toMatchObject({ revision: '2', cost: '7' })
  })
  test('another day begins at nothing', () => {
    const sum = addTotals(totals({ snapshot: true }), totals({ revision: '2', day: '2026-11-24', cost: '7' }))
    expect(sum).toMatchObject({ requests: 1, cost: '7' })
  })
})

test('a subscription that is sent again asks for what follows the last event seen', () => {
  const resume = resumable({ groupId: 'G' })
  expect(JSON.stringify(resume.variables)).toBe('{"groupId":"G"}')
  resume.onData({ events: [{ sequence: '7' }, { sequence: '8' }] })
  resume.onData({ events: [] })
  resume.onData({ totals: {} })
  expect(JSON.parse(JSON.stringify(resume.variables))).toEqual({ groupId: 'G', after: '8' })
})
