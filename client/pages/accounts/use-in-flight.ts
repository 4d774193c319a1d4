import { useClientHandle, useSubscription } from '@urql/vue'
import { computed, onScopeDispose, type Ref, shallowRef, watch } from 'vue'
import { placeEvents, placesQuery } from '../../graphql/live-operations.ts'
import { useParts } from '../../shell/parts.ts'
import { countPlaces, foldPlaces, type Places } from './in-flight.ts'

/** Past requests that are remembered; late progress comes within seconds. */
const rememberedEnds = 10_000

/**
 * How many requests each account serves now, in all processes, as they come and go. Undefined for people who do not see
 * every request, and until it is read: they have the number that came with the account.
 */
export function useInFlight(): Ref<ReadonlyMap<string, number> | undefined> {
  const { client } = useClientHandle()
  const { socket, session } = useParts()
  const places = shallowRef<Places>()
  const ended = new Set<string>()

  async function reload(): Promise<void> {
    const { data } = await client.query(placesQuery, {}).toPromise()
    const running = (data?.liveRequests ?? []).filter(({ requestId }) => !ended.has(requestId))
    if (data) places.value = new Map(running.map(({ requestId, accountId }) => [requestId, accountId]))
  }

  const events = useSubscription({ query: placeEvents, variables: {}, pause: !session.isAdmin.value })
  watch(
    events.data,
    (data) => {
      if (!data) return
      if (ended.size > rememberedEnds) ended.clear()
      places.value = foldPlaces(places.value ?? new Map(), data.events, ended)
      if (data.events.some((event) => event.gap)) void reload()
    },
    { flush: 'sync' },
  )
  if (session.isAdmin.value) {
    onScopeDispose(socket.onReturn(() => void reload()))
    void reload()
  }
  return computed(() => (places.value === undefined ? undefined : countPlaces(places.value)))
}
