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

/** final: reported at the end; partial: only a first report, or a part was unreadable; estimated: by us. */
export type UsageSource = 'final' | 'partial' | 'estimated' | 'none'

/** What a format read from a response: everything that a price needs. */
export interface Reading {
  /** The model that the upstream reports; '' when it reports none. */
  model: string
  tokens: Tokens
  /** Tokens billed beside `tokens`, each under a model of its own (compaction, advisor). */
  extras: readonly { model: string; tokens: Tokens }[]
  source: UsageSource
  speed: 'standard' | 'fast'
  /** `usage.inference_geo`, '' when absent. */
  geo: string
  /** `usage.service_tier`, '' when absent. */
  serviceTier: string
  stopReason: string
  /** Notes for the ledger: clamped, split_surplus, split_missing, credit, unreadable. */
  flags: readonly string[]
  /** The usage objects as received, as JSON text; '' when there were none. */
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
