import { computed, type Ref, shallowRef } from 'vue'
import { useEvents } from '../../data/use-events.ts'
import { useRead } from '../../data/use-read.ts'
import { inFlightEvents, inFlightQuery } from '../../graphql/live-operations.ts'
import { useParts } from '../../shell/parts.ts'
import { applyInFlight, countByAccount, type InFlight } from './in-flight.ts'

/** Past requests that are remembered; late progress comes within seconds. */
const maxRemembered = 10_000

/**
 * How many requests each account serves now, in all processes. Undefined for people who do not see every request, and until
 * it is read: they have the number that came with the account.
 */
export function useInFlight(): Ref<ReadonlyMap<string, number> | undefined> {
  const { session } = useParts()
  const inFlight = shallowRef<InFlight>()
  const ended = new Set<string>()
  const pause = !session.isAdmin.value
  const read = useRead(
    inFlightQuery,
    {},
    {
      pause,
      policy: 'network-only',
      onResponse: ({ liveRequests }) => {
        const running = liveRequests?.nodes.filter(({ requestId }) => !ended.has(requestId)) ?? []
        inFlight.value = new Map(running.map(({ requestId, account }) => [requestId, account?.id ?? null]))
      },
    },
  )
  useEvents(inFlightEvents, {
    pause,
    onEvents: (events) => {
      if (ended.size > maxRemembered) ended.clear()
      inFlight.value = applyInFlight(inFlight.value ?? new Map(), events, ended)
    },
    reads: [read],
  })
  return computed(() => (inFlight.value === undefined ? undefined : countByAccount(inFlight.value)))
}
