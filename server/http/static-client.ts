// The dashboard's files, read and compressed once at the start.
import { type Dirent, readdirSync, readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join, relative, sep } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { type Asset, etagOf, quickBrotli, sendAsset } from './asset.ts'

/** Paths that the dashboard's router knows (client/paths.ts; a test compares): each gets index.html. */
export const pagePaths: readonly string[] = [
  '/',
  '/live',
  '/accounts',
  '/keys',
  '/groups',
  '/rejections',
  '/users',
  '/rules',
  '/jobs',
  '/settings',
  '/fallback-prices',
  '/signin',
  '/setup',
  '/password',
  '/stats/api-key',
]

export interface StaticClient {
  /**
   * Responds to GET and HEAD of a file or page of the dashboard; false: this path is none of them. A browser that opens a page
   * that does not exist gets the dashboard with status 404, and the dashboard says so.
   */
  serve: (req: IncomingMessage, res: ServerResponse, path: string) => boolean
  /** False when the program was built without the dashboard. */
  isThere: boolean
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
}

/**
 * Everything is read once: a path is looked up in a map and never joined to a directory, so no spelling of it can leave
 * the directory.
 */
export function createStaticClient(parts: { directory: string }): StaticClient {
  const assets = readAssets(parts.directory)
  const index = assets.get('/index.html')

  function serve(req: IncomingMessage, res: ServerResponse, path: string): boolean {
    if (req.method !== 'GET' && req.method !== 'HEAD') return false
    const found = pagePaths.includes(path) ? index : path === '/index.html' ? undefined : assets.get(path)
    const asset = found ?? (isNavigation(req) ? index : undefined)
    if (asset === undefined) return false
    for (const [name, value] of Object.entries(safety)) res.setHeader(name, value)
    sendAsset(req, res, asset, found === undefined ? 404 : 200)
    return true
  }

  return { serve, isThere: index !== undefined }
}

/** A browser that opens a page: clients of the relay never ask for HTML. */
const isNavigation = (req: IncomingMessage): boolean => req.headers.accept?.includes('text/html') === true

/**
 * 'self' in connect-src covers the WebSocket of the same host (CSP 3). Styles: TDesign and Vue write style attributes into
 * markup.
 */
const safety = {
  'content-security-policy':
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // A setup link carries its token in the query.
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
}

function readAssets(directory: string): Map<string, Asset> {
  const assets = new Map<string, Asset>()
  for (const entry of entriesOf(directory)) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    const type = types[extname(entry.name)]
    if (type === undefined) continue
    const path = `/${relative(directory, file).split(sep).join('/')}`
    assets.set(path, readAsset(file, type, path.startsWith('/assets/')))
  }
  return assets
}

function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
  } catch (error) {
    // Built without the dashboard: the relay itself needs none.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function readAsset(file: string, type: string, isImmutable: boolean): Asset {
  const identity = readFileSync(file)
  const isText = !type.startsWith('image/png') && !type.startsWith('font/')
  const isCompressed = isText && identity.length > 1024
  // Compressed at start, before there is a stream that could wait: all of the dashboard takes about 0.1 s.
  return {
    type,
    etag: etagOf(identity),
    isImmutable,
    bodies: {
      identity,
      gzip: isCompressed ? gzipSync(identity) : undefined,
      br: isCompressed ? brotliCompressSync(identity, quickBrotli) : undefined,
    },
  }
}
