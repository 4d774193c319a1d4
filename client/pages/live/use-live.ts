import { useClientHandle, useSubscription } from '@urql/vue'
import { onScopeDispose, type Ref, ref, shallowRef, watch } from 'vue'
import { type CostTotals, costTotals, type LiveEvent, liveEvents, liveQuery } from '../../graphql/live-operations.ts'
import { type Trouble, troubleOf } from '../../graphql/trouble.ts'
import { useParts } from '../../shell/parts.ts'
import { foldTotals } from './day-totals.ts'
import { foldAnswer, foldEvents, type LiveRows, noRows } from './live-rows.ts'

export interface Live {
  rows: Ref<LiveRows>
  totals: Ref<CostTotals | undefined>
  isLoading: Ref<boolean>
  trouble: Ref<Trouble | undefined>
  /** Events that this page missed and could not resume; 0 when nothing was lost since it opened. */
  missed: Ref<number>
  reload: () => Promise<void>
}

/** Requests as they happen: read once, then kept by events; read again after a gap or a break. */
export function useLive(): Live {
  const { client } = useClientHandle()
  const { socket } = useParts()
  const rows = shallowRef(noRows)
  const totals = shallowRef<CostTotals>()
  const isLoading = ref(true)
  const trouble = shallowRef<Trouble>()
  const missed = ref(0)
  /** Events since the read under way began; undefined while none is. */
  let since: LiveEvent[] | undefined
  let again = false

  async function reload(): Promise<void> {
    // One read at a time, and one more after it: an answer already under way may be older than the gap.
    if (since !== undefined) {
      again = true
      return
    }
    const overtaking: LiveEvent[] = []
    since = overtaking
    const { data, error } = await client.query(liveQuery, {}).toPromise()
    since = undefined
    trouble.value = troubleOf(error)
    if (data !== undefined) {
      rows.value = foldAnswer(data, rows.value, overtaking)
      isLoading.value = false
    }
    if (again) {
      again = false
      await reload()
    }
  }

  function hear(events: readonly LiveEvent[]): void {
    since?.push(...events)
    rows.value = foldEvents(rows.value, events)
    const dropped = events.reduce((sum, event) => sum + (event.gap?.dropped ?? 0), 0)
    if (!events.some((event) => event.gap)) return
    missed.value += dropped
    void reload()
  }

  const events = useSubscription({ query: liveEvents, variables: {} })
  watch(events.data, (data) => data && hear(data.events), { flush: 'sync' })
  const totalsEvents = useSubscription({ query: costTotals, variables: {} })
  watch(
    totalsEvents.data,
    (data) => {
      if (data) totals.value = foldTotals(totals.value, data.totals)
    },
    { flush: 'sync' },
  )
  onScopeDispose(socket.onReturn(() => void reload()))
  void reload()
  return { rows, totals, isLoading, trouble, missed, reload }
}
