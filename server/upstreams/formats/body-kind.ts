/** Detects what a 200 body is from its first bytes, because some upstreams send a wrong content type. undefined: too few bytes. */
export function bodyKindOf(head: Buffer): 'json' | 'events' | 'other' | undefined {
  const text = head
    .toString('latin1', 0, 256)
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart()
  if (text === '') return undefined
  if (text.startsWith('{') || text.startsWith('[')) return 'json'
  if (/^(:|(event|data|id|retry)[:\r\n])/.test(text)) return 'events'
  return ['event', 'data', 'id', 'retry'].some((field) => field.startsWith(text)) ? undefined : 'other'
}
