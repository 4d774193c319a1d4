// Makes a relay request of an HTTP request: whose key, the body, what it asks for.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Failure, fail } from '../../errors.ts'
import type { ClientAddress } from '../../http/client-address.ts'
import type { Keys } from '../../keys/keys.ts'
import type { RequestId } from '../../request-ids.ts'
import { anthropicFormat } from '../../upstreams/formats/anthropic/anthropic.ts'
import type { ByteBudget } from '../byte-budget.ts'
import { authenticate } from './authenticate.ts'
import { conversationOf } from './conversation.ts'
import { readRequestHeaders } from './headers.ts'
import { inspect, shown } from './inspect.ts'
import { type ReadLimits, readBody } from './read-body.ts'
import type { RelayRequest } from './relay-request.ts'

export interface ReadParts {
  keys: Pick<Keys, 'find'>
  budget: ByteBudget
  readLimits: ReadLimits
  clientAddress: ClientAddress
  baseUrl: () => string
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
  route: { path: string; query: string; id: RequestId },
): Promise<ReadRequest | Failure | null> {
  const { path, query, id } = route
  const key = authenticate(req.headers, parts.keys, id.atMs)
  if ('code' in key) return key
  const read = await readBody(req, res, parts.budget.shareOf(key.id), parts.readLimits)
  if (read === null || 'code' in read) return read
  const body = read.bytes
  const inspected = inspect(body)
  const failure =
    'code' in inspected ? inspected : key.models.allows(inspected.model) ? null : notAllowed(inspected.model)
  if (failure !== null || 'code' in inspected) {
    read.give()
    return failure
  }
  const metered = path === '/v1/messages'
  const conversation = conversationOf(key.id, req.headers, body, inspected.metadata, inspected.firstMessage)
  // Field by field: on Node 20 a spread is several times as dear.
  const request: RelayRequest = {
    id,
    ledgerId: metered ? id.key : '',
    format: anthropicFormat,
    key,
    clientIp: parts.clientAddress(req),
    clientHeaders: req.headers,
    path,
    query,
    headers: readRequestHeaders(req.rawHeaders, req.headers.connection),
    body,
    model: inspected.model,
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
      `This API key may not use the model ${shown(model)}. GET ${parts.baseUrl()}/v1/models lists the ones it may.`,
    )
  }
}
