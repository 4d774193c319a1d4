import { useSubscription } from '@urql/vue'
import { onScopeDispose, type Ref, shallowRef, watch } from 'vue'
import { useEvents } from '../../data/use-events.ts'
import { type Read, useRead } from '../../data/use-read.ts'
import { costTotals, type LiveEvent, liveEvents, liveQuery } from '../../graphql/live-operations.ts'
import { addTotals, type DayTotals } from './day-totals.ts'
import { applyEvents, applyResponse, type LiveRows, noRows } from './live-rows.ts'

export interface Live extends Omit<Read<unknown>, 'data'> {
  rows: Readonly<Ref<LiveRows>>
  totals: Readonly<Ref<DayTotals | undefined>>
  /** Events that this page missed and could not resume; 0 when nothing was lost since it opened. */
  missed: Ref<number>
}

/** Four updates a second: faster than anybody reads, and slow enough to point at a row. */
const minIntervalMs = 250

/** Requests as they happen: read once, then kept by events; read again after a gap or a break. */
export function useLive(): Live {
  const rows = shallowRef(noRows)
  const totals = shallowRef<DayTotals>()
  /** Events that are not shown yet. */
  let waiting: LiveEvent[] = []
  let latestTotals: DayTotals | undefined
  /** Events since the read that is under way began. */
  let overtaking: LiveEvent[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  let shownAtMs = 0

  function show(): void {
    clearTimeout(timer)
    timer = undefined
    shownAtMs = Date.now()
    if (waiting.length > 0) rows.value = applyEvents(rows.value, waiting)
    waiting = []
    totals.value = latestTotals
  }

  function showSoon(): void {
    timer ??= setTimeout(show, Math.max(0, shownAtMs + minIntervalMs - Date.now()))
  }

  const read = useRead(
    liveQuery,
    {},
    {
      policy: 'network-only',
      onResponse: (data) => {
        show()
        rows.value = applyResponse(data, rows.value, overtaking)
      },
    },
  )
  watch(
    read.isLoading,
    (isLoading) => {
      if (isLoading) overtaking = []
    },
    { flush: 'sync' },
  )
  const { missed } = useEvents(liveEvents, {
    onEvents: (events) => {
      overtaking.push(...(read.isLoading.value ? events : []))
      waiting.push(...events)
      showSoon()
    },
    onGap: () => void read.refetch(),
  })
  const totalsFeed = useSubscription({ query: costTotals, variables: {} })
  watch(
    totalsFeed.data,
    (data) => {
      if (!data) return
      latestTotals = data.totals.events.reduce(addTotals, latestTotals)
      showSoon()
    },
    { flush: 'sync' },
  )
  onScopeDispose(() => clearTimeout(timer))
  return { ...read, rows, totals, missed }
}
