import { errorBody } from '../support/fake-message.ts'
import {
  errorFirst,
  hangBeforeHeaders,
  htmlPage,
  redirect,
  refusal,
  resetAfterEvents,
  resetBeforeHeaders,
} from '../support/fake-scripts.ts'
import type { Script } from '../support/fake-upstream.ts'

export interface Fault {
  script: Script
  /** Its number in the list of faults, if it has one. */
  number?: number
  /** Classification, status and error type of its attempt's row. */
  outcome: string
  status: number
  type?: string
  /** Cannot happen to a JSON answer. */
  streamOnly?: boolean
}

/** What an upstream can do wrong before there is content: another account is tried. By the end of the sentence "an account that …". */
export const faults: Record<string, Fault> = {
  'limits with 429': {
    number: 15,
    script: refusal(429, 'rate_limit_error', 'slow down', { 'retry-after': '37' }),
    outcome: 'limited',
    status: 429,
    type: 'rate_limit_error',
  },
  'refuses the credential with 401': {
    number: 14,
    script: refusal(401, 'authentication_error', 'invalid x-api-key'),
    outcome: 'refused',
    status: 401,
  },
  'refuses with 403': { number: 14, script: refusal(403, 'permission_error'), outcome: 'refused', status: 403 },
  'is out of money with 402': { script: refusal(402, 'billing_error'), outcome: 'refused', status: 402 },
  'has a 400 of its own: no credit': {
    script: refusal(400, 'invalid_request_error', 'Your credit balance is too low to access the API.'),
    outcome: 'refused',
    status: 400,
  },
  'fails with 500': { number: 17, script: refusal(500, 'api_error'), outcome: 'failing', status: 500 },
  'fails with 503 and HTML': {
    script: (exchange) => exchange.respond(503, { 'content-type': 'text/html' }, '<h1>busy</h1>'),
    outcome: 'failing',
    status: 503,
    type: 'http_503',
  },
  'is overloaded with 529': { number: 18, script: refusal(529, 'overloaded_error'), outcome: 'failing', status: 529 },
  'does not know the model': { script: refusal(404, 'not_found_error', 'model: x'), outcome: 'refused', status: 404 },
  redirects: {
    number: 30,
    script: redirect('http://169.254.169.254/latest/meta-data'),
    outcome: 'failing',
    status: 302,
    type: 'redirect',
  },
  'answers 204': { script: (exchange) => exchange.respond(204, {}, ''), outcome: 'failing', status: 204 },
  'hangs before headers': {
    script: hangBeforeHeaders,
    outcome: 'failing',
    status: 0,
    type: 'first_byte_timeout',
  },
  'resets before headers': { script: resetBeforeHeaders, outcome: 'failing', status: 0 },
  'answers with a HTML page': {
    number: 28,
    script: htmlPage,
    outcome: 'failing',
    status: 200,
    type: 'wrong_content_type',
  },
  'says 200 with an error for a body': {
    script: (exchange) => exchange.respond(200, { 'content-type': 'application/json' }, errorBody('api_error', 'no')),
    outcome: 'failing',
    status: 200,
  },
  'begins with an error event': {
    number: 20,
    script: errorFirst('api_error'),
    outcome: 'failing',
    status: 200,
    streamOnly: true,
    type: 'api_error',
  },
  'resets after message_start': {
    number: 22,
    script: resetAfterEvents(1),
    outcome: 'failing',
    status: 200,
    streamOnly: true,
  },
  'ends without any event': {
    number: 24,
    script: async (exchange) => {
      await exchange.begin()
      await exchange.end()
    },
    outcome: 'failing',
    status: 200,
    streamOnly: true,
  },
  'compresses in a way that nobody can undo': {
    script: (exchange) =>
      exchange.respond(200, { 'content-type': 'text/event-stream', 'content-encoding': 'zstd' }, 'x'),
    outcome: 'failing',
    status: 200,
    streamOnly: true,
    type: 'bad_encoding',
  },
}
