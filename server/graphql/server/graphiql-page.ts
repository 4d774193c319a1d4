import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import { type Asset, etagOf, quickBrotli } from '../../http/asset.ts'

const compress = { gzip: promisify(gzip), br: promisify(brotliCompress) }

/** GraphiQL as one page, made when somebody opens it first and kept: the module holds 30 MB of text. */
export function createGraphiqlPage(endpoint: string): () => Promise<Asset> {
  let page: Promise<Asset> | undefined
  async function make(): Promise<Asset> {
    const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql')
    // Over a socket GraphiQL would send no token; over POST subscriptions have the headers that are typed in.
    const identity = Buffer.from(renderGraphiQL({ title: 'GraphiQL', endpoint, subscriptionsProtocol: 'SSE' }))
    // On the thread pool: requests of the relay go on meanwhile.
    const [zipped, br] = await Promise.all([compress.gzip(identity), compress.br(identity, quickBrotli)])
    const bodies = { identity, gzip: zipped, br }
    return { type: 'text/html; charset=utf-8', etag: etagOf(identity), isImmutable: false, bodies }
  }
  return () => {
    page ??= make().catch((error: unknown) => {
      page = undefined
      throw error
    })
    return page
  }
}
