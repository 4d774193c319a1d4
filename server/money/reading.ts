// Usage as an upstream reports it. All token counts are non-negative safe integers.

/** Tokens by class, as they are billed. `input` excludes cache reads and writes; `output` includes `thinking`. */
export interface Tokens {
  input: number
  output: number
  cacheWrite5m: number
  cacheWrite1h: number
  cacheRead: number
  /** Part of `output`; for display only. */
  thinking: number
  webSearches: number
}

/** final: the upstream said so at the end; partial: its first word, or something of it was unreadable; estimated: ours. */
export type UsageSource = 'final' | 'partial' | 'estimated' | 'none'

/** What a dialect read off an answer: everything that a price needs. */
export interface Reading {
  /** The model the upstream says it ran; '' when it never said. */
  model: string
  tokens: Tokens
  /** Billed beside `tokens`, under models of their own (compaction, advisor). */
  extras: readonly { model: string; tokens: Tokens }[]
  source: UsageSource
  speed: 'standard' | 'fast'
  /** `usage.inference_geo`, '' when absent. */
  geo: string
  /** `usage.service_tier`, '' when absent. */
  serviceTier: string
  stopReason: string
  /** Remarks worth keeping: clamped, split_surplus, split_missing, credit, unreadable. */
  flags: readonly string[]
  /** The usage objects as they came, as JSON text; '' when none came. */
  raw: string
}

export const noTokens: Tokens = Object.freeze({
  input: 0,
  output: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  cacheRead: 0,
  thinking: 0,
  webSearches: 0,
})

export const noReading: Reading = Object.freeze({
  model: '',
  tokens: noTokens,
  extras: [],
  source: 'none',
  speed: 'standard',
  geo: '',
  serviceTier: '',
  stopReason: '',
  flags: [],
  raw: '',
})
