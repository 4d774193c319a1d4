// The edits of a request body that relaying in the same format allows; every other byte goes up as it came.
import { findMembers, replaceSpan, type Span } from '../../json/members.ts'
import { reasoningBefore } from './foreign-reasoning.ts'

/** The bytes that came, unless an edit is needed. `foreignBefore`: the reasoning of the first so many messages is cut; 0: none. */
export function upstreamBody(
  whole: Buffer,
  model: { span: Span; from: string; to: string },
  dropTags: boolean,
  foreignBefore: number,
): Buffer {
  if (model.from === model.to && !dropTags && foreignBefore === 0) return whole
  const cuts = foreignBefore === 0 ? [] : reasoningBefore(whole, foreignBefore)
  const cut = withoutSpans(whole, cuts)
  const mapped = model.from === model.to ? cut : withModel(cut, spanAfter(model.span, cuts), model.to)
  return dropTags ? withoutTags(mapped) : mapped
}

/** Where a span is once others have been cut. */
export function spanAfter(span: Span, cuts: readonly Span[]): Span {
  const moved = cuts.reduce((sum, { start, end }) => (end <= span.start ? sum + end - start : sum), 0)
  return { start: span.start - moved, end: span.end - moved }
}

/** Without these spans, which are in order and do not overlap. */
export function withoutSpans(bytes: Buffer, spans: readonly Span[]): Buffer {
  if (spans.length === 0) return bytes
  const kept: Buffer[] = []
  let at = 0
  for (const { start, end } of spans) {
    kept.push(bytes.subarray(at, start))
    at = end
  }
  return Buffer.concat([...kept, bytes.subarray(at)])
}

/** The mapped model name in place of the requested one. */
export function withModel(body: Buffer, span: Span, model: string): Buffer {
  const parts = replaceSpan(body, span, model)
  return Array.isArray(parts) ? Buffer.concat(parts) : parts
}

/** Without the member `tags` (all of them, should there be several), for upstreams that are not the vendor's own. */
export function withoutTags(body: Buffer): Buffer {
  let bytes = body
  for (;;) {
    const members = findMembers(bytes, ['tags'])
    const value = members.ok ? members.spans[0] : undefined
    if (!value) return bytes
    bytes = cutMember(bytes, value)
  }
}

const quote = 0x22
const comma = 0x2c
const colon = 0x3a

function cutMember(bytes: Buffer, value: Span): Buffer {
  // Back over the colon to the key: it holds no quote, not even an escaped one.
  const keyEnd = bytes.lastIndexOf(quote, bytes.lastIndexOf(colon, value.start - 1))
  let start = bytes.lastIndexOf(quote, keyEnd - 1)
  let end = value.end
  const after = skipSpace(bytes, end, 1)
  if (bytes[after] === comma) end = after + 1
  else {
    const before = skipSpace(bytes, start - 1, -1)
    if (bytes[before] === comma) start = before
  }
  return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)])
}

function skipSpace(bytes: Buffer, from: number, step: 1 | -1): number {
  let at = from
  while (bytes[at] === 0x20 || bytes[at] === 0x09 || bytes[at] === 0x0a || bytes[at] === 0x0d) at += step
  return at
}
