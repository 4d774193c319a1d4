import type { LiveRequest, SettledRequest } from '../../live/live-events.ts'
import { requestIdOf } from '../../request-ids.ts'
import type { StoredRequest } from '../../statistics/statistics.ts'
import { builder } from './builder.ts'

/** A request of the key, running or settled, without anything of accounts. */
export interface KeyRequestView {
  requestId: string
  startedAtMs: number
  model: string
  inputTokens: number | bigint
  outputTokens: number | bigint
  cacheReadTokens: number | bigint
  cacheWriteTokens: number | bigint
  /** Null while it runs. */
  settled: { outcome: string; httpStatus: number; errorType: string; durationMs: number; costNano: bigint } | null
}

export const viewOfRunning = (request: LiveRequest): KeyRequestView => ({
  ...request,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  settled: null,
})

export const viewOfSettled = (request: SettledRequest): KeyRequestView => ({
  ...request,
  cacheWriteTokens: request.cacheWrite5mTokens + request.cacheWrite1hTokens,
  settled: { ...request, costNano: BigInt(request.costNano) },
})

export const viewOfRow = (row: StoredRequest): KeyRequestView => ({
  requestId: requestIdOf(row.id),
  startedAtMs: Number(row.startedAtMs),
  model: row.modelRequested,
  inputTokens: row.inputTokens,
  outputTokens: row.outputTokens,
  cacheReadTokens: row.cacheReadTokens,
  cacheWriteTokens: BigInt(row.cacheWrite5mTokens) + BigInt(row.cacheWrite1hTokens),
  settled: row,
})

const Outcome = builder.enumType('Outcome', {
  description: 'How a request ended.',
  values: {
    COMPLETED: { value: 'completed', description: 'With a whole response.' },
    FAILED: { value: 'failed', description: 'With an error, or a response that broke off.' },
    CANCELLED: { value: 'aborted', description: 'The client left.' },
    INTERRUPTED: { value: 'interrupted', description: 'The process of the relay died under it.' },
  } as const,
})

export const KeyRequest = builder.objectRef<KeyRequestView>('KeyRequest').implement({
  description: 'A request that came with the key. What is only known at its end is null while it runs.',
  fields: (t) => ({
    requestId: t.exposeString('requestId', { description: 'As the client got it in the header request-id: req_….' }),
    startedAt: t.field({
      description: 'When its header had arrived.',
      type: 'DateTime',
      resolve: ({ startedAtMs }) => new Date(startedAtMs),
    }),
    model: t.exposeString('model', { description: 'As the client asked for it.' }),
    outcome: t.field({
      description: 'How it ended; null while it runs.',
      type: Outcome,
      nullable: true,
      resolve: ({ settled }) => settled && (settled.outcome as 'completed'),
    }),
    httpStatus: t.int({
      description: 'The status that the client got; null while it runs, or when the client left first.',
      nullable: true,
      resolve: ({ settled }) => settled?.httpStatus || null,
    }),
    errorType: t.string({
      description: 'The type of its error; null while it runs, or when it completed.',
      nullable: true,
      resolve: ({ settled }) => settled?.errorType || null,
    }),
    durationMs: t.int({
      description: 'Milliseconds from its begin to the end of the response; null while it runs.',
      nullable: true,
      resolve: ({ settled }) => settled?.durationMs,
    }),
    inputTokens: t.expose('inputTokens', { description: 'Read anew, so far.', type: 'Count' }),
    outputTokens: t.expose('outputTokens', { description: 'Written, so far.', type: 'Count' }),
    cacheReadTokens: t.expose('cacheReadTokens', {
      description: 'Read from the cache; 0 while it runs.',
      type: 'Count',
    }),
    cacheWriteTokens: t.expose('cacheWriteTokens', {
      description: 'Written into the cache; 0 while it runs.',
      type: 'Count',
    }),
    cost: t.field({
      description: 'What the key is charged; null while it runs.',
      type: 'NanoUsd',
      nullable: true,
      resolve: ({ settled }) => settled?.costNano,
    }),
  }),
})
