import { describe, expect, test } from 'vitest'
import { resumable } from '../../client/data/resume.ts'
import type {
  CostTotalsEvent,
  LiveEvent,
  RunningRequest,
  SettledRequest,
} from '../../client/graphql/live-operations.ts'
import { addTotals } from '../../client/pages/live/day-totals.ts'
import { applyEvents, applyResponse, noRows } from '../../client/pages/live/live-rows.ts'

const running = (requestId: string, output = 0): RunningRequest => ({
  requestId,
  startedAt: '2026-11-23T07:00:00Z',
  apiKey: { id: 'K', name: 'k' },
  account: null,
  modelRequested: 'm',
  stream: true,
  attemptCount: 1,
  queuePosition: null,
  firstByteMs: null,
  tokens: { input: 1, output },
})
const settled = (requestId: string, durationMs = 10): SettledRequest => ({
  requestId,
  startedAt: '2026-11-23T07:00:00Z',
  apiKey: { id: 'K', name: 'k' },
  account: { id: 'A', name: 'a' },
  modelRequested: 'm',
  stream: true,
  outcome: 'COMPLETED',
  httpStatus: 200,
  errorType: null,
  attemptCount: 1,
  firstByteMs: 1,
  durationMs,
  tokens: { input: 1, output: 2, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0 },
  cost: '5',
})
const hasStarted = (request: RunningRequest): LiveEvent => ({ __typename: 'RequestStarted', request })
const hasProgressed = (request: RunningRequest): LiveEvent => ({ __typename: 'RequestProgressed', request })
const hasSettled = (request: SettledRequest): LiveEvent => ({ __typename: 'RequestSettled', request })
const response = (rows: RunningRequest[], ended: SettledRequest[]) => ({
  liveRequests: { nodes: rows },
  requests: { nodes: ended },
})

describe('live rows', () => {
  test('a request appears, fills and settles', () => {
    let rows = applyEvents(noRows, [hasStarted(running('r')), hasProgressed(running('r', 40))])
    expect(rows.running.get('r')?.tokens.output).toBe(40)
    rows = applyEvents(rows, [hasSettled(settled('r'))])
    expect(rows.running.size).toBe(0)
    expect(rows.settled.map((row) => row.requestId)).toEqual(['r'])
  })

  test('late progress does not wake an ended request, and an event sent twice counts once', () => {
    const rows = applyEvents(noRows, [hasSettled(settled('r')), hasProgressed(running('r')), hasSettled(settled('r'))])
    expect(rows.running.size).toBe(0)
    expect(rows.settled).toHaveLength(1)
  })

  test('a response that events overtook does not bring back what has ended, nor lose what has begun', () => {
    const overtaking = [hasSettled(settled('old')), hasStarted(running('new'))]
    const before = applyEvents(noRows, overtaking)
    const rows = applyResponse(response([running('old')], []), before, overtaking)
    expect([...rows.running.keys()]).toEqual(['new'])
    expect(rows.settled.map((row) => row.requestId)).toEqual(['old'])
  })

  test('a row read from the log and received as an event is one row', () => {
    const before = applyEvents(noRows, [hasSettled(settled('a'))])
    const rows = applyResponse(response([], [settled('a'), settled('b')]), before, [])
    expect(new Set(rows.settled.map((row) => row.requestId))).toEqual(new Set(['a', 'b']))
  })

  test('requests that the server no longer knows go when the lists are read again', () => {
    const before = applyEvents(noRows, [hasStarted(running('lost in a restart'))])
    expect(applyResponse(response([], []), before, []).running.size).toBe(0)
  })
})

describe("today's totals", () => {
  const delta = (part: Partial<CostTotalsEvent> = {}): CostTotalsEvent => ({
    __typename: 'CostTotalsDelta',
    day: '2026-11-23',
    requests: 1,
    failures: 0,
    rejected: 0,
    tokens: 10,
    cost: '9007199254740993',
    ...part,
  })
  const snapshot = (part: Partial<CostTotalsEvent> = {}) => delta({ __typename: 'CostTotalsSnapshot', ...part })
  test('snapshot plus deltas is exact beyond 2^53', () => {
    const sum = addTotals(addTotals(undefined, snapshot()), delta({ cost: '1' }))
    expect(sum).toMatchObject({ requests: 2, tokens: 20, cost: '9007199254740994' })
  })
  test('a delta before any snapshot is not a total', () => expect(addTotals(undefined, delta())).toBeUndefined())
  test('a new snapshot replaces all', () => {
    expect(addTotals(addTotals(undefined, snapshot()), snapshot({ cost: '7' }))).toMatchObject({ cost: '7' })
  })
  test('another day begins at nothing', () => {
    const sum = addTotals(addTotals(undefined, snapshot()), delta({ day: '2026-11-24', cost: '7' }))
    expect(sum).toMatchObject({ requests: 1, cost: '7' })
  })
})

test('a subscription that is sent again asks for what follows the last message', () => {
  const resume = resumable({ groupId: 'G' })
  expect(JSON.stringify(resume.variables)).toBe('{"groupId":"G"}')
  resume.onData({ feed: { cursor: '7', events: [] } })
  resume.onData({ feed: { cursor: '8', events: [] } })
  resume.onData({ totals: {} })
  expect(JSON.parse(JSON.stringify(resume.variables))).toEqual({ groupId: 'G', after: '8' })
})
