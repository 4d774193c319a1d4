import type { LimitStatus } from '../../keys/limit-status.ts'
import { builder } from './builder.ts'

const LimitKind = builder.enumType('LimitKind', {
  description: 'The window of a cost limit.',
  values: {
    DAILY: { value: 'daily', description: 'A day of the deployment.' },
    WEEKLY: { value: 'weekly', description: 'A week of the deployment.' },
    MONTHLY: { value: 'monthly', description: 'A month of the deployment.' },
    ROLLING: { value: 'rolling', description: 'The last `rollingHours`.' },
    TOTAL: { value: 'total', description: 'All time. It never begins anew.' },
  } as const,
})

const LimitSubject = builder.enumType('LimitSubject', {
  description: 'Whose requests count against a limit.',
  values: {
    KEY: { value: 'key', description: 'Those of this key.' },
    USER: { value: 'user', description: 'Those of all keys of its owner.' },
    GROUP: { value: 'group', description: 'Those of all keys of its group.' },
  } as const,
})

export const KeyLimit = builder.objectRef<LimitStatus>('KeyLimit').implement({
  description: 'A cost limit that the key has to keep, and how much of it is used.',
  fields: (t) => ({
    kind: t.field({ type: LimitKind, description: 'Its window.', resolve: ({ rule }) => rule }),
    subject: t.field({ type: LimitSubject, description: 'Whose requests count.', resolve: ({ subject }) => subject }),
    limit: t.field({ type: 'NanoUsd', description: 'The most.', resolve: ({ limitNano }) => BigInt(limitNano) }),
    spent: t.field({
      type: 'NanoUsd',
      description: 'By requests that have ended.',
      resolve: ({ spentNano }) => BigInt(spentNano),
    }),
    reserved: t.field({
      type: 'NanoUsd',
      description: 'By requests that run. What they do not use becomes free at their end.',
      resolve: ({ reservedNano }) => BigInt(reservedNano),
    }),
    remaining: t.field({
      type: 'NanoUsd',
      description: 'What neither is spent nor reserved; 0 when there is nothing left.',
      resolve: ({ limitNano, spentNano, reservedNano }) => BigInt(Math.max(0, limitNano - spentNano - reservedNano)),
    }),
    resetsAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'When its window begins anew. Of a rolling limit that is reached: when it lets requests through again. null: at no fixed time.',
      resolve: ({ resetsAtMs }) => (resetsAtMs === null ? null : new Date(resetsAtMs)),
    }),
    rollingHours: t.exposeInt('rollingHours', {
      description: 'The length of the window of a rolling limit; null of others.',
      nullable: true,
    }),
  }),
})
