import { rejectionReasons } from '../rejections/rejection-type.ts'
import { builder } from './builder.ts'

/** Requests of the key that were refused for one reason. */
interface KeyRejectionView {
  reason: string
  requests: number
  lastAtMs: number
  message: string
}

type Reason = (typeof rejectionReasons)[keyof typeof rejectionReasons][0]

const known = new Set<string>(Object.values(rejectionReasons).map(([code]) => code))

const RejectionReason = builder.enumType('RejectionReason', {
  description: 'Why a request was refused before any upstream was asked.',
  values: Object.fromEntries(
    Object.entries(rejectionReasons).map(([name, [value, description]]) => [name, { value, description }]),
  ) as { [Name in keyof typeof rejectionReasons]: { value: (typeof rejectionReasons)[Name][0]; description: string } },
})

export const KeyRejection = builder.objectRef<KeyRejectionView>('KeyRejection').implement({
  description: 'Requests of the key that were refused for one reason, before any upstream was asked.',
  fields: (t) => ({
    reason: t.field({
      type: RejectionReason,
      description: 'Why.',
      resolve: ({ reason }): Reason => (known.has(reason) ? (reason as Reason) : 'other'),
    }),
    requests: t.expose('requests', { type: 'Count', description: 'How many.' }),
    lastAt: t.field({
      type: 'DateTime',
      description: 'When the last one was refused.',
      resolve: ({ lastAtMs }) => new Date(lastAtMs),
    }),
    message: t.exposeString('message', { description: 'What the last one was told, in English.' }),
  }),
})
