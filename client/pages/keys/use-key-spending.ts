import { onScopeDispose, watch } from 'vue'
import { useEvents } from '../../data/use-events.ts'
import type { ApiKey } from '../../graphql/key-operations.ts'
import { keySpending, type SpendingEvent } from '../../graphql/live-operations.ts'
import type { List } from '../../lists/use-list.ts'
import { useNow } from '../../values/time/clock.ts'

/** After the last of a row of events, and at the latest after a minute of them. */
const quietMs = 3_000
const maxWaitMs = 60_000

/**
 * What keys spend grows as requests settle: the cache adds each event. A response that was under way then may hold an event
 * already or lack it, so the sums are read again once it is quiet. Nothing is read while nothing happens.
 */
export function useKeySpending({ rows, refetch }: Pick<List<ApiKey>, 'rows' | 'refetch'>): void {
  const now = useNow()
  let timer: ReturnType<typeof setTimeout> | undefined
  let sinceMs: number | undefined

  function checkSoon(): void {
    sinceMs ??= Date.now()
    clearTimeout(timer)
    timer = setTimeout(check, Math.max(0, Math.min(quietMs, sinceMs + maxWaitMs - Date.now())))
  }

  function check(): void {
    clearTimeout(timer)
    sinceMs = undefined
    void refetch()
  }

  useEvents(keySpending, {
    onEvents: (events) => {
      const shown = new Set(rows.value.map(({ id }) => id))
      const isShown = (event: SpendingEvent): boolean =>
        event.__typename === 'RequestSettled' && shown.has(event.request.apiKey?.id ?? '')
      if (events.some(isShown)) checkSoon()
    },
    onGap: check,
  })
  // At midnight of the deployment the day's spending begins anew.
  watch(
    () => rows.value.some((key) => Date.parse(key.dayResetsAt) <= now.value),
    (isOver) => isOver && check(),
  )
  onScopeDispose(() => clearTimeout(timer))
}
