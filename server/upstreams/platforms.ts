import type { Platform } from '../accounts/account.ts'
import { judgeAnswer, judgeEventBy, type VerdictRow } from './classify.ts'
import type { Dialect, Upstream } from './platform.ts'

export type Dialects = Record<Platform, Dialect | undefined>

/** Dialects that judge by the rows of the moment: those of administrators, then their own. */
export function createUpstreams(
  dialects: Dialects,
  rowsOf: (platform: Platform) => readonly VerdictRow[],
): Record<Platform, Upstream | undefined> {
  const judging = (platform: Platform): Upstream | undefined => {
    const dialect = dialects[platform]
    return (
      dialect && {
        ...dialect,
        judge: (refusal, model, nowMs) => judgeAnswer(rowsOf(platform), refusal, model, nowMs),
        judgeEvent: (error, model, nowMs) => judgeEventBy(rowsOf(platform), error, model, nowMs),
      }
    )
  }
  return {
    console: judging('console'),
    claude: judging('claude'),
    openai: judging('openai'),
    codex: judging('codex'),
  }
}
