import type { Reading } from '../money/reading.ts'

/** Names of the members of a request that the relay looks at. */
export interface RequestShape {
  messages: string
  /** `messages` may also be a plain string. */
  mayBeText: boolean
  /** How much the model may write; the first that is there counts. */
  maxTokens: readonly string[]
  /** What may name the conversation. */
  conversation: string
}

/** A wire format: how requests, responses, streams and errors look. Errors and pings for clients come from it too. */
export interface Format {
  name: 'anthropic' | 'chat' | 'responses'
  request: RequestShape
  /** A whole JSON response with status 200. `secret` is removed from everything that is stored. Never throws. */
  readJson(body: Buffer, secret: string): JsonResponse
  /** The message that a whole event stream adds up to, as JSON; null when the stream is not complete. Never throws. */
  foldStream?(stream: Buffer): Buffer | null
  /** The events of a stream that adds up to this message. */
  unfoldJson?(body: Buffer): Buffer
  createStreamReader(secret: string): StreamReader
  /**
   * The body of a streamed request that asks for usage, and a reader that hides the extra usage from the client. Undefined: the
   * client asked for it itself.
   */
  askForUsage?(body: Buffer): { body: Buffer; responses: ResponseReader } | undefined
  /** What the body of an error response, or the data of an error event, says. Never throws. */
  errorOf(text: string): UpstreamError
  /** The JSON body of an error of ours. */
  errorBody(type: string, message: string, requestId: string): Buffer
  /** The same as the last event of a stream. */
  errorEvent(type: string, message: string, requestId: string): Buffer
  /** An event that says nothing, to be sent between events. */
  ping: Buffer
  /** The same before the first event, where clients expect no event yet: a comment. */
  keepAlive: Buffer
}

/** Reads the responses of an upstream, and says what of them the client gets. */
export type ResponseReader = Pick<Format, 'readJson' | 'foldStream' | 'unfoldJson' | 'createStreamReader'>

export interface JsonResponse {
  /** Why it is no success although its status is 200; '' when it is one. */
  problem: string
  reading: Reading
  /** What the client gets; absent: the body as it came. */
  body?: Buffer
}

/** What an upstream's error says: its type and code, and its text, which may quote a prompt. */
export interface UpstreamError {
  type: string
  code: string
  message: string
  /** The message, or where there is none the whole body: what rules of administrators look at. */
  text: string
  /** The error has the format's own shape, and its type says that the request is wrong. */
  blamesRequest: boolean
  /** The HTTP status named in the error's body. It counts when the response itself has status 200. */
  statusWithin: number | null
}

/**
 * Reads one stream: cuts it into whole events, and meters it. The caller looks at the state after each `push` and after
 * `end`. Never throws.
 */
export interface StreamReader {
  /** Takes the next bytes; returns those that may go on: whole events, comments between them, and what is too large to hold. */
  push(chunk: Buffer): Buffer[]
  /** The input has ended. Returns the last event where only its blank line was missing. */
  end(): Buffer[]
  /** The first event of the message has come. */
  readonly started: boolean
  /** Content has begun, and no error came before it: from here on the account is fixed. */
  readonly hasContent: boolean
  /** The last event of the message has come. */
  readonly isFinished: boolean
  /** No content comes any more; usage and the last event may. Some upstreams never send that one. */
  readonly isLast: boolean
  /** What the first error event said. */
  readonly error: UpstreamError | null
  /** Bytes held of an unfinished event. */
  readonly heldBytes: number
  /** Bytes of the unfinished event so far, held or already passed on. */
  readonly eventBytes: number
  /** An event too large to hold is passing through: until its end nothing may be put in between. */
  readonly flowing: boolean
  /** True once after the stream has reported its first usage, for the journal. */
  usageChanged(): boolean
  /** What is known now of usage; may be asked while the stream runs. */
  reading(): Reading
  /** `reading()` without the raw usage objects, which are expensive to serialize. */
  interimReading(): Reading
}
