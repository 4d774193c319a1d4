// Makes a relay request of an HTTP request: whose key, the body, what it asks for.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Failure, fail } from '../../errors.ts'
import type { ClientAddress } from '../../http/client-address.ts'
import type { ApiKey } from '../../keys/api-key.ts'
import type { Keys } from '../../keys/keys.ts'
import type { Sightings } from '../../keys/sightings.ts'
import type { RequestId } from '../../request-ids.ts'
import type { Format } from '../../upstreams/format.ts'
import type { ByteBudget } from '../byte-budget.ts'
import { clientRefusal } from './allowed-client.ts'
import { authenticate } from './authenticate.ts'
import { conversationOf } from './conversation.ts'
import { readRequestHeaders } from './headers.ts'
import { inspect, shown } from './inspect.ts'
import { type ReadLimits, readBody } from './read-body.ts'
import { type Refused, refusedKey } from './refused.ts'
import type { RelayRequest } from './relay-request.ts'

export interface ReadParts {
  keys: Pick<Keys, 'hmacOf' | 'findByHmac'>
  budget: ByteBudget
  readLimits: ReadLimits
  /** The model that a name stands for to this key. */
  modelBehind: (key: ApiKey, name: string) => string
  clientAddress: ClientAddress
  sightings: Pick<Sightings, 'note'>
  /** Where the models of a key are listed. */
  modelsUrl: (format: Format) => string
}

/** Which address of ours was asked, and what it speaks. */
export interface ClientRoute {
  /** As the formats name it: `/v1/messages`, `/v1/chat/completions`, … */
  path: string
  query: string
  id: RequestId
  format: Format
  /** False for count_tokens: no row, no cost, no limits. */
  metered: boolean
}

export interface ReadRequest {
  request: RelayRequest
  /** The memory of its body is free again. */
  release(): void
}

/** What the client gets in place of a request that is not well; null: it has left. */
export async function readRequest(
  parts: ReadParts,
  req: IncomingMessage,
  res: ServerResponse,
  route: ClientRoute,
): Promise<ReadRequest | Refused | null> {
  const { path, query, id, format, metered } = route
  const key = authenticate(req.headers, parts.keys, id.atMs, format)
  if ('failure' in key) return key
  const clientIp = parts.clientAddress(req)
  const userAgent = req.headers['user-agent'] ?? ''
  parts.sightings.note(key.id, clientIp, userAgent)
  const refusal = clientRefusal(key, clientIp, userAgent)
  if (refusal !== null) return refusedKey(key, refusal)
  const read = await readBody(req, res, parts.budget.shareOf(key.id), parts.readLimits)
  if (read === null) return null
  if ('code' in read) return refusedKey(key, read)
  const body = read.bytes
  const inspected = inspect(body, format.request)
  const model = 'code' in inspected ? '' : parts.modelBehind(key, inspected.model)
  const failure = 'code' in inspected ? inspected : key.models.allows(model) ? null : notAllowed(model)
  if (failure !== null || 'code' in inspected) {
    read.give()
    return failure && refusedKey(key, failure)
  }
  const { messages, firstMessage } = inspected
  const conversation = conversationOf(key.id, req.headers, body, inspected.conversation, messages, firstMessage)
  // Field by field: on Node 20 a spread is several times as dear.
  const request: RelayRequest = {
    id,
    ledgerId: metered ? id.key : '',
    format,
    key,
    clientIp,
    clientHeaders: req.headers,
    path,
    query,
    headers: readRequestHeaders(req.rawHeaders, req.headers.connection),
    body,
    model,
    modelAsked: inspected.model,
    modelSpan: inspected.modelSpan,
    lastMessage: inspected.lastMessage,
    stream: metered && inspected.stream,
    maxTokens: inspected.maxTokens,
    hasTags: inspected.hasTags,
    sessionId: conversation.sessionId,
    agentId: conversation.agentId,
    affinityKey: conversation.affinityKey,
    metered,
  }
  return { request, release: read.give }

  function notAllowed(model: string): Failure {
    return fail(
      'model_not_allowed',
      `This API key may not use the model ${shown(model)}. GET ${parts.modelsUrl(format)} lists the ones it may.`,
    )
  }
}
