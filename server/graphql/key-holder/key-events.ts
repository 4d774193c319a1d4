import type { Gap, LiveEvent, LiveMessage } from '../../live/live-events.ts'
import { builder, type KeyContext } from './builder.ts'
import { KeyRejection } from './key-rejection.ts'
import { KeyRequest, viewOfRunning, viewOfSettled } from './key-request.ts'

const KeyGap = builder.objectRef<Gap>('Gap').implement({
  description: 'Events after `from` and up to `to` were missed: read again what you keep up to date by events.',
  fields: (t) => ({
    from: t.exposeString('from', { description: 'The last cursor before the gap.' }),
    to: t.exposeString('to', { description: 'The cursor behind the gap.' }),
  }),
})

const Started = builder.objectRef<LiveEvent>('RequestStarted').implement({
  description: 'A request was admitted.',
  fields: (t) => ({
    request: t.field({
      type: KeyRequest,
      description: 'As it was admitted.',
      resolve: ({ started }) => viewOfRunning(started!),
    }),
  }),
})

const Progressed = builder.objectRef<LiveEvent>('RequestProgressed').implement({
  description: 'A request went on; at most one such event a second and request.',
  fields: (t) => ({
    request: t.field({
      type: KeyRequest,
      description: 'The whole of it, not only what changed.',
      resolve: ({ progress }) => viewOfRunning(progress!),
    }),
  }),
})

const Settled = builder.objectRef<LiveEvent>('RequestSettled').implement({
  description: 'A request ended.',
  fields: (t) => ({
    request: t.field({
      type: KeyRequest,
      description: 'As the ledger has it.',
      resolve: ({ settled }) => viewOfSettled(settled!),
    }),
  }),
})

const Rejected = builder.objectRef<LiveEvent>('RequestsRejected').implement({
  description: 'Requests were refused before any upstream was asked; at most one such event a second for each reason.',
  fields: (t) => ({
    rejection: t.field({
      type: KeyRejection,
      description: 'Of this second.',
      resolve: ({ rejected }) => rejected!,
    }),
  }),
})

const KeyEvent = builder.unionType('KeyEvent', {
  description: 'What happens to requests of the key. A client passes over types that it does not know.',
  types: [Started, Progressed, Settled, Rejected],
  resolveType: ({ started, progress, settled }) =>
    started ? 'RequestStarted' : progress ? 'RequestProgressed' : settled ? 'RequestSettled' : 'RequestsRejected',
})

const KeyEvents = builder.objectRef<LiveMessage>('KeyEvents').implement({
  description: 'Events of the key, in their order.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: 'Give it as `after` to go on behind this message.' }),
    gap: t.expose('gap', {
      type: KeyGap,
      nullable: true,
      description: 'Events between the last message and this one were missed; null nearly always.',
    }),
    events: t.field({
      type: [KeyEvent],
      description: 'Empty in the first message of a subscription that begins now.',
      resolve: ({ events }) => events,
    }),
  }),
})

/** Ends with the key: when it is deleted, disabled, or has another secret. */
async function* whileValid(messages: AsyncIterableIterator<LiveMessage>, keyNow: KeyContext['keyNow']) {
  for await (const message of messages) {
    const key = keyNow()
    if (!key?.enabled || !key.ownerEnabled) return
    yield message
  }
}

builder.subscriptionField('myKeyEvents', (t) =>
  t.field({
    type: KeyEvents,
    description: 'Requests of the key as they start, go on, settle and are refused. The first message comes at once.',
    args: {
      after: t.arg.string({ description: 'The cursor of the last message that was handled; absent: from now on.' }),
    },
    subscribe: (_root, { after }, { parts, key, keyNow }) =>
      whileValid(
        parts.live.events(
          { viewer: { userId: null }, kinds: ['started', 'progress', 'settled', 'rejected'], apiKeyIds: [key.id] },
          after ?? undefined,
        ),
        keyNow,
      ),
    resolve: (message) => message,
  }),
)
