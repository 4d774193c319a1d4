import { sendFailure } from '../../http/send-failure.ts'
import type { ApiKey, Keys } from '../../keys/keys.ts'
import type { RequestId } from '../../request-ids.ts'
import type { ClientAnswer } from '../../wire/client-answer.ts'
import type { ClientDoor, WholeBody, WholeRequest } from '../../wire/client-connections.ts'
import { credentialsOf, keyOf } from './authenticate.ts'
import { type RequestHeaders, readRequestHeaders } from './headers.ts'
import { type ByteBudget, bodyTooSlow, type ReadLimits } from './read-body.ts'

/** Who sends a message, known from its head. */
export interface Guest {
  key: ApiKey
  id: RequestId
  /** /v1/messages or /v1/messages/count_tokens */
  route: string
  query: string
  headers: RequestHeaders
}

export interface MessageDoorParts {
  keys: Pick<Keys, 'hmacOf' | 'findByHmac'>
  budget: ByteBudget
  readLimits: ReadLimits
  requestId: () => RequestId
  /** False while new requests are not welcome: node:http says why. */
  isOpen: () => boolean
  serve: (request: WholeRequest, body: WholeBody, answer: ClientAnswer, guest: Guest) => void
}

/** What the base URL is followed by; SDKs whose base URL already ends in /v1 ask for /v1/v1/…. */
const messageTarget = /^\/claude-code(?:\/v1)?(\/v1\/messages(?:\/count_tokens)?)(\?.*)?$/

/** The relay's door for connections of our own: plain messages of a known key. All else is left to node:http. */
export function createMessageDoor(parts: MessageDoorParts): ClientDoor<Guest> {
  const { keys, budget, readLimits } = parts
  /** A client repeats its head, which then is the same object: what was made of it is made once. */
  const known = new WeakMap<WholeRequest['headers'], { hmacs: string[]; headers: RequestHeaders | null }>()

  function knownOf(headers: WholeRequest['headers']) {
    let made = known.get(headers)
    if (made === undefined) {
      made = { hmacs: credentialsOf(headers).map(keys.hmacOf), headers: null }
      known.set(headers, made)
    }
    return made
  }

  return {
    welcome({ target, headers, rawHeaders }, bodyBytes) {
      const found = messageTarget.exec(target)
      if (found === null || bodyBytes > readLimits.bodyBytes || !parts.isOpen()) return null
      const id = parts.requestId()
      const made = knownOf(headers)
      // Whose key it is, is looked up for each request.
      const key = keyOf(made.hmacs, keys.findByHmac, id.atMs)
      if ('code' in key || !budget.take(bodyBytes)) return null
      made.headers ??= readRequestHeaders(rawHeaders, headers['connection'])
      return { key, id, route: found[1]!, query: found[2] ?? '', headers: made.headers }
    },
    dismiss: (_guest, bodyBytes) => budget.give(bodyBytes),
    serve(request, { chunks, length, give }, answer, guest) {
      const body: WholeBody = {
        chunks,
        length,
        give() {
          give()
          budget.give(length)
        },
      }
      parts.serve(request, body, answer, guest)
    },
    refuseSlow(request, answer, received, ms) {
      sendFailure(request, answer, bodyTooSlow(received, ms), parts.requestId().text)
    },
  }
}
