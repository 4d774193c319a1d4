import type { Plugin } from 'graphql-yoga'

const sent = ['application/json', 'application/graphql-response+json', 'text/event-stream', 'multipart/mixed']

export const notAcceptable = {
  status: 406,
  code: 'NOT_ACCEPTABLE',
  message: 'Responses are application/json, and text/event-stream for subscriptions: accept one of them.',
}

/** Whether the header `accept` allows anything that the door sends. */
export const acceptsResponse = (accept: string | undefined): boolean => sent.some((type) => accepts(accept, type))

/** Yoga would answer a subscription that accepts no event stream with an empty 406. */
export const refusesSubscriptionsAsJson: Plugin = {
  onResultProcess({ request, result, setResultProcessor }) {
    if (!(Symbol.asyncIterator in result)) return
    const events = result as AsyncIterable<unknown>
    if (accepts(request.headers.get('accept') ?? undefined, 'text/event-stream')) return
    void events[Symbol.asyncIterator]().return?.()
    const message = 'Subscriptions are sent as text/event-stream: accept it, or subscribe over a WebSocket.'
    const body = { errors: [{ message, extensions: { code: notAcceptable.code } }] }
    setResultProcessor(
      (_result, { Response }) => Response.json(body, { status: notAcceptable.status }),
      'application/json',
    )
  },
}

function accepts(accept: string | undefined, type: string): boolean {
  if (!accept) return true
  const [family] = type.split('/')
  return accept
    .toLowerCase()
    .split(',')
    .map((range) => range.split(';')[0]!.trim())
    .some((range) => range === type || range === `${family}/*` || range === '*/*')
}
