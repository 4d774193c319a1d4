import type { Reading } from '../../../money/reading.ts'
import type { StreamReader, UpstreamError } from '../../format.ts'
import { withEventNames } from '../event-names.ts'
import { createSseScanner, type SseScanner } from '../sse.ts'
import { type AnthropicSink, listenToAnthropic } from './events.ts'
import { isEmptyMessage } from './passed-text.ts'
import { readError } from './upstream-error.ts'
import { createUsageReader, type UsageReader } from './usage.ts'

export const createAnthropicStreamReader = (secret: string): StreamReader => new AnthropicStreamReader(secret)

/** A class: there is one for each stream, and its state is read after each chunk. */
class AnthropicStreamReader implements StreamReader, AnthropicSink {
  started = false
  hasContent = false
  isFinished = false
  // Each of these streams ends in message_stop.
  readonly isLast = false
  error: UpstreamError | null = null
  private hasUsage = false
  private hasNameless = false
  private readonly usage: UsageReader = createUsageReader()
  private readonly scanner: SseScanner

  constructor(secret: string) {
    this.scanner = createSseScanner(listenToAnthropic(this, secret))
  }

  push(chunk: Buffer): Buffer[] {
    return this.named(this.scanner.push(chunk))
  }

  end(): Buffer[] {
    return this.isFinished || this.error !== null ? [] : this.named(this.scanner.end())
  }

  /** SDKs drop events without a name: it is put in where an upstream leaves it out. */
  private named(out: Buffer[]): Buffer[] {
    if (!this.hasNameless) return out
    this.hasNameless = false
    return [withEventNames(Buffer.concat(out))]
  }

  get heldBytes(): number {
    return this.scanner.heldBytes
  }

  get eventBytes(): number {
    return this.scanner.eventBytes
  }

  get flowing(): boolean {
    return this.scanner.flowing
  }

  usageChanged(): boolean {
    const { hasUsage } = this
    this.hasUsage = false
    return hasUsage
  }

  reading(): Reading {
    return this.usage.reading()
  }

  interimReading(): Reading {
    return this.usage.interimReading()
  }

  // ── what the scanner finds, while it looks at a chunk ────────────────────────────────────────────────────────────

  messageStart(json: string): void {
    this.usage.start(json)
    this.started = true
    this.hasUsage = true
  }

  contentStart(): void {
    if (this.error === null && this.started) this.hasContent = true
  }

  delta(chars: number, wide: number): void {
    this.usage.text(chars, wide)
  }

  messageDelta(json: string): void {
    this.usage.delta(json)
    if (this.error === null && this.started && !isEmptyMessage(false, this.usage.interimReading()))
      this.hasContent = true
  }

  nameless(): void {
    this.hasNameless = true
  }

  messageStop(): void {
    this.usage.stop()
    this.isFinished = true
  }

  unreadable(): void {
    this.usage.unreadable()
  }

  errorEvent(json: string): void {
    if (this.error !== null) return
    const error = readError(json)
    this.error = { ...error, type: error.type || 'error' }
  }
}
