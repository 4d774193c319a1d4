import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buildSchema, graphql } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import { createStaticClient } from '../../server/http/static-client.ts'
import { createMockData, type MockData } from './mock-data.ts'

/** The dashboard before a server of canned answers: for looking at pages in states that are hard to reach otherwise. */
export async function startMockServer(options: { port?: number; isEmpty?: boolean } = {}) {
  const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'))
  const client = createStaticClient({ directory: new URL('../../dist/client', import.meta.url).pathname })
  const data: MockData = createMockData(options.isEmpty ?? false)
  let isDown = false

  const server = createServer((req, res) => void answerTo(req, res))
  async function answerTo(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = (req.url ?? '/').split('?')[0] ?? '/'
    if (path !== '/graphql') {
      if (!client.serve(req, res, path)) res.writeHead(404).end()
      return
    }
    if (isDown) {
      req.socket.destroy()
      return
    }
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk as Buffer)
    const { query, variables } = JSON.parse(Buffer.concat(chunks).toString()) as {
      query: string
      variables: Record<string, unknown>
    }
    const answer = await graphql({ schema, source: query, variableValues: variables, rootValue: data.root })
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  }
  const sockets = new WebSocketServer({ server, path: '/graphql' })
  useServer({ schema, roots: { subscription: data.root as Record<string, object> } }, sockets)
  await new Promise<void>((done) => server.listen(options.port ?? 0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    data,
    /** From now on GraphQL over HTTP is cut off without an answer. */
    setDown: (down: boolean) => {
      isDown = down
    },
    /** Breaks all WebSockets, as a restart does. */
    cut: () => {
      data.forget()
      for (const socket of sockets.clients) socket.terminate()
    },
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
