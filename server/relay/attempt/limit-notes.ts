// Notes what response headers say in passing of their account's limits.
import { LRUCache } from 'lru-cache'
import type { Account } from '../../accounts/account.ts'
import type { GaugeReading } from '../../accounts/gauges/gauge.ts'
import type { Gauges } from '../../accounts/gauges/gauges.ts'
import type { Platform } from '../../upstreams/platform.ts'
import type { ResponseHeaders } from '../request/response-headers.ts'

/** Headers that were read once: responses of one account say the same until a percent more is used. */
const maxRead = 500

export function createLimitNotes(parts: {
  gauges: Pick<Gauges, 'note'>
  platformOf: (account: Account) => Pick<Platform, 'limits'>
}) {
  const known = new LRUCache<string, GaugeReading[]>({ max: maxRead })

  return (account: Account, headers: ResponseHeaders): void => {
    const { limits } = parts.platformOf(account)
    if (!limits) return
    const text = headers.textOf(limits.prefix)
    if (text === '') return
    let readings = known.get(text)
    if (!readings) {
      readings = limits.ofHeaders(headers.beginningWith(limits.prefix))
      known.set(text, readings)
    }
    parts.gauges.note(account.id, readings)
  }
}
