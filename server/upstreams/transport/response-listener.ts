/** A request as it goes out. */
export interface TransportRequest {
  method: 'GET' | 'POST'
  path: string
  /** Name, value, name, value …, without host, connection and content-length. */
  headers: readonly string[]
  body: readonly Buffer[]
  bodyBytes: number
}

/** Hears of the response to one request, as it comes. None of these may throw. */
export interface ResponseListener {
  /** The request has a connection; `abort` breaks it off at any time, after which nothing more is heard. */
  onConnect(abort: () => void): void
  /** `rawHeaders`: name, value, name, value …, as they came; `resume` goes on after an `onData` that returned false. */
  onHeaders(status: number, rawHeaders: string[], resume: () => void): void
  /** The next bytes of the body. False: nothing more until `resume`. */
  onData(chunk: Buffer): boolean
  /** The response is whole. */
  onComplete(): void
  /** It will not be: no connection, a broken one, or a response that is no HTTP. */
  onError(error: Error): void
}
