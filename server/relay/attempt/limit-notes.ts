import { LRUCache } from 'lru-cache'
import type { Account } from '../../accounts/account.ts'
import type { GaugeReading, Gauges } from '../../accounts/gauges/gauges.ts'
import type { Platform } from '../../upstreams/platform.ts'
import type { AnswerHeaders } from '../request/headers.ts'

/** Headers that were read once: answers of one account say the same until a percent more is used. */
const mostRead = 500

/** What answers say in passing of their accounts' limits. */
export function createLimitNotes(parts: {
  gauges: Pick<Gauges, 'note'>
  platformOf: (account: Account) => Pick<Platform, 'limits'>
}) {
  const known = new LRUCache<string, GaugeReading[]>({ max: mostRead })

  return (account: Account, answer: AnswerHeaders): void => {
    const { limits } = parts.platformOf(account)
    if (!limits) return
    const text = answer.textOf(limits.prefix)
    if (text === '') return
    let readings = known.get(text)
    if (!readings) {
      readings = limits.ofHeaders(answer.beginningWith(limits.prefix))
      known.set(text, readings)
    }
    parts.gauges.note(account.id, readings)
  }
}
