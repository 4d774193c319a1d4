import type { Script } from '../support/fake-upstream.ts'
import { errorEvent, textBlock } from '../support/sse-fixtures.ts'

// Vendors that quote what they are sent, or opened with: scripts of a token endpoint, then of the API.

/** Everything it was told, wherever an answer has a place for it: in identifiers, texts, headers, other fields. */
export const echoes =
  (status: number): Script =>
  async ({ request, respond }) => {
    const told = JSON.parse(request.body.toString()) as Record<string, string>
    const { code = '', refresh_token: refresh = '', code_verifier: verifier = '' } = told
    const secret = code || refresh
    await respond(
      status,
      { 'x-said': secret, location: `https://elsewhere.test/?token=${secret}`, 'retry-after': '0' },
      {
        error: secret,
        error_code: secret,
        error_description: `you sent ${request.body.toString()}`,
        error_uri: `https://elsewhere.test/${verifier}`,
        message: `${secret} ${verifier}`,
        [secret]: verifier,
      },
    )
  }
/** The same in the envelope of the API. */
export const echoesInEnvelope: Script = async ({ request, respond }) => {
  const { code, refresh_token: refresh } = JSON.parse(request.body.toString()) as Record<string, string>
  const secret = code ?? refresh
  await respond(400, {}, { type: 'error', error: { type: secret, code: secret, message: secret }, request_id: secret })
}
/** Neither JSON nor to the point, and with a 200. */
export const echoesAsText: Script = ({ request, respond }) =>
  respond(200, {}, `<html>${request.body.toString()}</html>`)
export const echoesWithoutToken: Script = ({ request, respond }) =>
  respond(200, {}, { token_type: 'Bearer', said: request.body.toString() })
/** It breaks off in the middle of what it was told. */
export const echoesAndBreaks: Script = async (exchange) => {
  await exchange.begin(200, { 'content-type': 'application/json' })
  await exchange.write(exchange.request.body.subarray(0, -1))
  await exchange.reset()
}

export const bearerOf = (authorization = '') => authorization.replace('Bearer ', '')
/** An upstream that quotes the access token it was opened with. */
export const quotesToken =
  (status: number): Script =>
  async ({ request, respond }) => {
    const token = bearerOf(request.headers.authorization)
    const error = {
      type: token,
      code: token,
      message: `token ${token} is not valid`,
      details: { error_code: token },
    }
    await respond(status, { 'request-id': token, 'www-authenticate': `Bearer ${token}` }, { type: 'error', error })
  }

/** What is kept of answers: models, usage, reasons, types; and headers that say how to read them. */
export const quotesTokenInAnswers: Script[] = [
  ({ request, respond }) => {
    const token = bearerOf(request.headers.authorization)
    const usage = { input_tokens: 1, output_tokens: 1, service_tier: token, inference_geo: token, note: token }
    return respond(
      200,
      { 'request-id': token, 'x-should-retry': token },
      { type: 'message', id: token, model: token, stop_reason: token, content: [], usage },
    )
  },
  ({ request, respond }) => respond(200, { 'content-type': `text/${bearerOf(request.headers.authorization)}` }, '{}'),
  ({ request, respond }) => respond(200, { 'content-encoding': bearerOf(request.headers.authorization) }, '{}'),
  async (exchange) => {
    const token = bearerOf(exchange.request.headers.authorization)
    const message = { model: token, usage: { input_tokens: 1, output_tokens: 1, note: token } }
    await exchange.sse([
      { event: 'message_start', data: { type: 'message_start', message } },
      ...textBlock(0, ['a word']),
      {
        event: 'message_delta',
        data: { type: 'message_delta', delta: { stop_reason: token }, usage: { output_tokens: 2, note: token } },
      },
      { event: 'error', data: { type: 'error', error: { type: token, message: token } } },
    ])
  },
  (exchange) => exchange.sse([errorEvent(bearerOf(exchange.request.headers.authorization), 'x')]),
]
