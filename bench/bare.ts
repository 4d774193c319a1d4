/**
 * What the relay is compared with: a plain Node pass-through. node:http in front, undici's `dispatch` with the documented v7
 * handler behind, without authentication and accounting. Run as `node bare.js UPSTREAM_ORIGIN`.
 */
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import process from 'node:process'
import { Agent, type Dispatcher } from 'undici'

const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

function endToEnd(headers: IncomingMessage['headers'], dropped?: string): OutgoingHttpHeaders {
  const kept: OutgoingHttpHeaders = {}
  for (const name in headers) {
    if (!hopByHop.has(name) && name !== dropped) kept[name] = headers[name]
  }
  return kept
}

/** Writes the response to the client as it arrives, no faster than the client reads. */
function respondInto(response: ServerResponse): Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller) {
      response.on('close', () => {
        if (!response.writableFinished) controller.abort(new Error('the client left'))
      })
    },
    onResponseStart(_controller, status, headers) {
      response.writeHead(status, endToEnd(headers))
    },
    onResponseData(controller, chunk) {
      if (response.write(chunk)) return
      controller.pause()
      response.once('drain', () => controller.resume())
    },
    onResponseEnd() {
      response.end()
    },
    onResponseError(_controller, error) {
      if (response.headersSent) response.destroy(error)
      else response.writeHead(502).end()
    },
  }
}

const origin = process.argv[2]
const agent = new Agent()

const server = createServer((request, response) => {
  // The request body is sent as it arrives.
  const options = {
    origin,
    path: request.url ?? '/',
    method: request.method ?? 'GET',
    headers: endToEnd(request.headers, 'host') as Record<string, string>,
    body: request,
  }
  agent.dispatch(options, respondInto(response))
})

server.listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
