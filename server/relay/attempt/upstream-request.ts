// What goes up for a request: its own bytes where the account speaks the client's format, else a translation.
import { hash } from 'node:crypto'
import type { Account } from '../../accounts/account.ts'
import type { ResponseReader } from '../../upstreams/format.ts'
import type { Platform, RequestHead } from '../../upstreams/platform.ts'
import { translate } from '../../upstreams/translate/table.ts'
import { type Fields, isFields, Untranslatable } from '../../upstreams/translate/untranslatable.ts'
import { spanAfter, upstreamBody, withoutSpans } from '../request/body-edits.ts'
import { markedReasoning } from '../request/foreign-reasoning.ts'
import type { RelayRequest } from '../request/relay-request.ts'

export interface BuiltRequest {
  head: RequestHead
  body: Buffer
  /** Reads what comes back. */
  responses: ResponseReader
  /** Something of it was written by us, and can be written in another way: a translation, a wish for usage. */
  isWritten: boolean
  isTranslated: boolean
}

/** Where a client of another format does not say how much the model may write: Anthropic's format requires a number. */
const defaultMaxTokens = 32_000
/** The headers of a translated request that still mean the same. */
const keptHeaders = new Set(['user-agent'])

/** Throws Untranslatable for what the account's format cannot express. */
export function buildUpstreamRequest(
  request: RelayRequest,
  account: Account,
  platform: Platform,
  foreignBefore: number,
): BuiltRequest {
  return platform.format === request.format
    ? sameFormat(request, account, platform, foreignBefore)
    : translated(request, account, platform, foreignBefore)
}

function sameFormat(request: RelayRequest, account: Account, platform: Platform, foreignBefore: number): BuiltRequest {
  const { path, query, headers } = request
  const dropTags = request.hasTags && !platform.isFirstParty(account)
  const to = account.mapping.map(request.model)
  const marked = markedReasoning(request.body)
  const edited = upstreamBody(
    withoutSpans(request.body, marked),
    { span: spanAfter(request.modelSpan, marked), from: request.modelAsked, to },
    dropTags,
    foreignBefore,
  )
  const wish = request.stream && account.flags.streamOptions ? platform.format.askForUsage?.(edited) : undefined
  return {
    head: platform.buildRequest(account, { path, query, headers, dropTags }),
    body: wish?.body ?? edited,
    responses: wish?.responses ?? platform.format,
    isWritten: wish !== undefined,
    isTranslated: false,
  }
}

function translated(request: RelayRequest, account: Account, platform: Platform, foreignBefore: number): BuiltRequest {
  const { id, key, model, modelSpan, modelAsked, body } = request
  const cut = upstreamBody(body, { span: modelSpan, from: modelAsked, to: modelAsked }, false, foreignBefore)
  const { body: sent, ...responses } = translate(request.format.name, platform.format.name, fieldsOf(cut), {
    accountId: account.id,
    modelRequested: modelAsked,
    modelSent: account.mapping.map(model).replace(/\[1m\]$/i, ''),
    flags: account.flags,
    user: hash('sha256', `end user of key ${key.id}`).slice(0, 32),
    defaultMaxTokens,
    promptTokens: Math.ceil(body.length / 4),
    requestId: id.text.replace(/[^a-zA-Z0-9]/g, ''),
    nowMs: id.atMs,
  })
  const headers = [
    'content-type',
    'application/json',
    'accept',
    request.stream ? 'text/event-stream' : 'application/json',
  ]
  for (let i = 0; i < request.headers.length; i += 2)
    if (keptHeaders.has(request.headers[i]!.toLowerCase())) headers.push(request.headers[i]!, request.headers[i + 1]!)
  const head = platform.buildRequest(account, { path: platform.messagePath, query: '', headers, dropTags: false })
  return { head, body: sent, responses, isWritten: true, isTranslated: true }
}

function fieldsOf(body: Buffer): Fields {
  try {
    const fields: unknown = JSON.parse(body.toString('utf8'))
    if (isFields(fields)) return fields
  } catch {
    // The members were found, and what stands between them is no JSON.
  }
  throw new Untranslatable('body', 'is not valid JSON')
}
