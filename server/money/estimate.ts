import type { Reading, Tokens } from './reading.ts'

export const promptOf = ({ input, cacheRead, cacheWrite5m, cacheWrite1h }: Tokens): number =>
  input + cacheRead + cacheWrite5m + cacheWrite1h

/** A response of which no prompt was reported had one: it is estimated by the bytes of the request. */
export function withEstimatedPrompt(reading: Reading, requestBytes: number): Reading {
  const { tokens, source, flags } = reading
  if (source === 'none' || tokens.output === 0 || promptOf(tokens) > 0) return reading
  return {
    ...reading,
    tokens: { ...tokens, input: Math.ceil(requestBytes / 4) },
    source: 'estimated',
    flags: flags.includes('usage_missing') ? flags : [...flags, 'usage_missing'],
  }
}
