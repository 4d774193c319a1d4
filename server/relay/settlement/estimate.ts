// What a request will use, before anything is known of it: by what its key and its session used before.
import { noTokens, type Tokens } from '../../money/reading.ts'
import { attachmentsIn } from './images.ts'

/** What a settled request used. */
export interface UseSample {
  requestBytes: number
  input: number
  cacheRead: number
  cacheWrite: number
  output: number
}

/** What of a request is looked at. */
export interface EstimatedRequest {
  keyId: number
  model: string
  /** '' when it belongs to none. */
  sessionId: string
  body: Buffer
  maxTokens: number | undefined
}

interface SessionUse {
  tokensPerByte: number
  readShare: number
  writeShare: number
}

const unknownOutput = 8000
const minOutput = 1000
/** From so many samples on their distribution is worth something. */
const minSamples = 20
const maxSamples = 100
const maxKeyModels = 10_000
const maxSessions = 20_000
const percentile = 0.9
/** Bytes of a text that are looked at for their alphabet. */
const lookedAt = 2048

export function createEstimates(parts: {
  /** What a key used of a model lately, the newest first: asked once for each, when a process first needs it. */
  recent: (keyId: number, model: string, count: number) => Promise<readonly UseSample[]>
}) {
  const byKeyModel = new Map<string, Promise<UseSample[]>>()
  const bySession = new Map<string, SessionUse>()

  function samplesOf(keyId: number, model: string): Promise<UseSample[]> {
    const name = `${keyId} ${model}`
    let samples = byKeyModel.get(name)
    if (samples === undefined) {
      samples = parts.recent(keyId, model, maxSamples).then(
        (rows) => [...rows].reverse(),
        () => [],
      )
      keep(byKeyModel, name, samples, maxKeyModels)
    }
    return samples
  }

  return {
    /** Tokens by class: input by what the model reads, output by the key's own distribution. */
    async estimate({ keyId, model, sessionId, body, maxTokens }: EstimatedRequest): Promise<Tokens> {
      const samples = await samplesOf(keyId, model)
      const attached = attachmentsIn(body)
      const of = (sessionId === '' ? undefined : bySession.get(`${keyId} ${sessionId}`)) ?? average(samples)
      const textBytes = body.length - attached.bytes
      const prompt = Math.ceil(textBytes * (of?.tokensPerByte ?? tokensPerByte(body))) + attached.tokens
      const cacheRead = Math.floor(prompt * (of?.readShare ?? 0))
      const cacheWrite5m = Math.floor(prompt * (of?.writeShare ?? 0))
      return {
        ...noTokens,
        input: Math.max(0, prompt - cacheRead - cacheWrite5m),
        cacheRead,
        cacheWrite5m,
        output: maxTokens !== undefined && maxTokens >= 0 ? Math.min(maxTokens, outputOf(samples)) : outputOf(samples),
      }
    },

    /** A request was settled: the next one of its session, and of its key and model, is judged by it. */
    async learn({ keyId, model, sessionId, body }: EstimatedRequest, tokens: Tokens): Promise<void> {
      const cacheWrite = tokens.cacheWrite5m + tokens.cacheWrite1h
      const { input, cacheRead, output } = tokens
      if (input + cacheRead + cacheWrite === 0) return
      const attached = attachmentsIn(body)
      const requestBytes = Math.max(1, body.length - attached.bytes)
      const text = Math.max(0, input - attached.tokens)
      const sample = { requestBytes, input: text, cacheRead, cacheWrite, output }
      const samples = await samplesOf(keyId, model)
      samples.push(sample)
      if (samples.length > maxSamples) samples.shift()
      const use = useOf(sample)
      if (sessionId !== '' && use) keep(bySession, `${keyId} ${sessionId}`, use, maxSessions)
    },
  }
}

/** The newest stay. */
function keep<Value>(map: Map<string, Value>, name: string, value: Value, max: number): void {
  map.delete(name)
  map.set(name, value)
  if (map.size > max) map.delete(map.keys().next().value!)
}

function outputOf(samples: readonly UseSample[]): number {
  if (samples.length < minSamples) return unknownOutput
  const sorted = samples.map(({ output }) => output).sort((a, b) => a - b)
  return Math.max(minOutput, sorted[Math.ceil(percentile * sorted.length) - 1]!)
}

function useOf({ requestBytes, input, cacheRead, cacheWrite }: UseSample): SessionUse | undefined {
  const prompt = input + cacheRead + cacheWrite
  if (prompt === 0 || requestBytes === 0) return undefined
  return { tokensPerByte: prompt / requestBytes, readShare: cacheRead / prompt, writeShare: cacheWrite / prompt }
}

function average(samples: readonly UseSample[]): SessionUse | undefined {
  const sum: UseSample = { requestBytes: 0, input: 0, cacheRead: 0, cacheWrite: 0, output: 0 }
  for (const sample of samples) for (const name of Object.keys(sum) as (keyof UseSample)[]) sum[name] += sample[name]
  return useOf(sum)
}

/** Latin text has about four bytes a token; other alphabets have about one token a character of three bytes. */
function tokensPerByte(body: Buffer): number {
  const step = Math.max(1, Math.floor(body.length / lookedAt))
  let looked = 0
  let foreign = 0
  for (let at = 0; at < body.length; at += step) {
    looked++
    if (body[at]! >= 0x80) foreign++
  }
  const share = looked === 0 ? 0 : foreign / looked
  return (1 - share) / 4 + share / 3
}
