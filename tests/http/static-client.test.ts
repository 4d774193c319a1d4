import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { paths } from '../../client/paths.ts'
import { createStaticClient, pagePaths } from '../../server/http/static-client.ts'

const script = `console.log(${JSON.stringify('x'.repeat(4000))})`
let root: string
let server: Server
let port: number

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'static-client-'))
  const directory = join(root, 'client')
  mkdirSync(join(directory, 'assets'), { recursive: true })
  writeFileSync(join(directory, 'index.html'), '<!doctype html><title>relay</title>')
  writeFileSync(join(directory, 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
  writeFileSync(join(directory, 'assets', 'index-abc.js'), script)
  writeFileSync(join(directory, 'assets', 'index-abc.js.map'), '{}')
  writeFileSync(join(root, 'secret.js'), 'outside')
  const client = createStaticClient({ directory })
  server = createServer((req, res) => {
    if (!client.serve(req, res, (req.url ?? '/').split('?')[0] ?? '/')) res.writeHead(404).end()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.close()
  rmSync(root, { recursive: true })
})

/** Raw paths and raw bodies: fetch would tidy both. */
function ask(path: string, options: { method?: string; headers?: Record<string, string> } = {}) {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: Buffer }>((done, failed) => {
    const sent = request({ host: '127.0.0.1', port, path, ...options }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('end', () => done({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) }))
    })
    sent.on('error', failed)
    sent.end()
  })
}

describe('the dashboard is served', () => {
  test('every page path answers index.html, never from a cache without asking', async () => {
    for (const path of pagePaths) {
      const { status, headers, body } = await ask(`${path}?x=1`)
      expect(status).toBe(200)
      expect(headers['content-type']).toBe('text/html; charset=utf-8')
      expect(headers['cache-control']).toBe('no-cache')
      expect(body.toString()).toContain('<title>relay</title>')
    }
  })

  test("the server's page paths are the router's", () => {
    expect([...pagePaths].sort()).toEqual(Object.values(paths).sort())
  })

  test('hashed assets are kept for ever', async () => {
    const { headers } = await ask('/assets/index-abc.js')
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable')
    expect(headers['content-type']).toBe('text/javascript; charset=utf-8')
  })

  test('a file beside the assets is asked for again each time', async () => {
    expect((await ask('/icon.svg')).headers['cache-control']).toBe('no-cache')
  })

  test('no answer may be framed, sniffed, or tell its address to others', async () => {
    for (const path of ['/', '/assets/index-abc.js']) {
      const { headers } = await ask(path)
      expect(headers['content-security-policy']).toContain("default-src 'self'")
      expect(headers['content-security-policy']).toContain("script-src 'self';")
      expect(headers['content-security-policy']).toContain("frame-ancestors 'none'")
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['referrer-policy']).toBe('no-referrer')
    }
  })

  test('a client that takes brotli or gzip gets it, one that refuses gets plain bytes', async () => {
    const brotli = await ask('/assets/index-abc.js', { headers: { 'accept-encoding': 'gzip, br' } })
    expect(brotli.headers['content-encoding']).toBe('br')
    expect(brotliDecompressSync(brotli.body).toString()).toBe(script)
    const gzip = await ask('/assets/index-abc.js', { headers: { 'accept-encoding': 'br;q=0, gzip;q=0.5' } })
    expect(gzip.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(gzip.body).toString()).toBe(script)
    const plain = await ask('/assets/index-abc.js')
    expect(plain.headers['content-encoding']).toBeUndefined()
    expect(plain.headers['vary']).toBe('accept-encoding')
    expect(plain.body.toString()).toBe(script)
  })

  test('HEAD answers the headers of GET without its body', async () => {
    const get = await ask('/assets/index-abc.js')
    const head = await ask('/assets/index-abc.js', { method: 'HEAD' })
    expect(head.headers['content-length']).toBe(get.headers['content-length'])
    expect(head.body).toHaveLength(0)
  })

  test('what the browser has already is not sent again', async () => {
    const { headers } = await ask('/')
    const again = await ask('/', { headers: { 'if-none-match': `W/"other", W/${String(headers['etag'])}` } })
    expect(again.status).toBe(304)
    expect(again.body).toHaveLength(0)
    expect((await ask('/', { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
  })
})

describe('nothing else is served', () => {
  test.each([
    '/../secret.js',
    '/assets/../../secret.js',
    '/assets/%2e%2e/%2e%2e/secret.js',
    '/assets/..%2f..%2fsecret.js',
    '/assets/..\\..\\secret.js',
    '//etc/passwd',
    '/assets/',
    '/assets',
    '/index.html',
    '/assets/index-abc.js.map',
    '/assets/none.js',
    '/constructor',
    '/__proto__',
    '/live/deeper',
    '/graphql',
  ])('%s is not found', async (path) => {
    expect((await ask(path)).status).toBe(404)
  })

  test('a browser that opens a page which does not exist gets the dashboard, as not found', async () => {
    const headers = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'if-none-match': '*' }
    const { status, body } = await ask('/nowhere', { headers })
    expect(status).toBe(404)
    expect(body.toString()).toContain('<title>relay</title>')
    expect((await ask('/nowhere', { method: 'POST', headers })).body.length).toBe(0)
  })

  test('other methods are not for the dashboard', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) expect((await ask('/', { method })).status).toBe(404)
  })

  test('a program built without the dashboard says so and serves nothing', () => {
    expect(createStaticClient({ directory: join(root, 'nowhere') }).isThere).toBe(false)
  })
})
