import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { constants } from 'node:zlib'

/** Something for browsers that is kept in memory, in every coding that is worth it. */
export interface Asset {
  type: string
  etag: string
  isImmutable: boolean
  bodies: Record<'identity' | 'gzip' | 'br', Buffer | undefined>
}

export const etagOf = (identity: Buffer): string =>
  `"${createHash('sha256').update(identity).digest('base64url').slice(0, 22)}"`

export const quickBrotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }

/** Sends it in the coding that the browser takes, or 304 when it has it already. */
export function sendAsset(req: IncomingMessage, res: ServerResponse, asset: Asset, status = 200): void {
  res.setHeader('etag', asset.etag)
  res.setHeader('vary', 'accept-encoding')
  res.setHeader('cache-control', asset.isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache')
  if (status === 200 && matches(req.headers['if-none-match'], asset.etag)) {
    res.writeHead(304).end()
    return
  }
  const coding = chooseCoding(req.headers['accept-encoding'], asset)
  const body = asset.bodies[coding] ?? Buffer.alloc(0)
  res.setHeader('content-type', asset.type)
  res.setHeader('content-length', body.length)
  if (coding !== 'identity') res.setHeader('content-encoding', coding)
  res.writeHead(status)
  res.end(req.method === 'HEAD' ? undefined : body)
}

/** `br;q=0` refuses; anything else that names a coding welcomes it. */
function chooseCoding(accepted: string | string[] | undefined, asset: Asset): 'identity' | 'gzip' | 'br' {
  const codings = new Map<string, string>()
  for (const part of String(accepted ?? '').split(',')) {
    const [name = '', weight = ''] = part.split(';')
    codings.set(name.trim().toLowerCase(), weight.trim())
  }
  for (const coding of ['br', 'gzip'] as const) {
    const weight = codings.get(coding)
    if (weight !== undefined && !/^q=0(\.0*)?$/.test(weight) && asset.bodies[coding] !== undefined) return coding
  }
  return 'identity'
}

/** Weak comparison, as caches ask for it; a list of tags or `*`. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag)
}
