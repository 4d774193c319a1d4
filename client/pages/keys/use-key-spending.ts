import { useSubscription } from '@urql/vue'
import { onScopeDispose, watch } from 'vue'
import type { ApiKey } from '../../graphql/key-operations.ts'
import { keySpending } from '../../graphql/live-operations.ts'
import type { List } from '../../graphql/use-list.ts'
import { useParts } from '../../shell/parts.ts'
import { useNow } from '../../values/clock.ts'
import { foldSpending } from './key-spending.ts'

/** After the last of a row of events, and at the latest after a minute of them. */
const quietMs = 3_000
const longestMs = 60_000

/**
 * What keys spend grows as requests settle. A list that was read holds some of what is told at that time and lacks some:
 * what was added is checked against another reading once it is quiet. Nothing is read while nothing happens.
 */
export function useKeySpending(list: List<ApiKey>): void {
  const { socket } = useParts()
  const now = useNow()
  let timer: ReturnType<typeof setTimeout> | undefined
  let sinceMs: number | undefined

  function checkSoon(): void {
    sinceMs ??= Date.now()
    clearTimeout(timer)
    timer = setTimeout(check, Math.max(0, Math.min(quietMs, sinceMs + longestMs - Date.now())))
  }

  function check(): void {
    clearTimeout(timer)
    sinceMs = undefined
    void list.reload()
  }

  const events = useSubscription({ query: keySpending, variables: {} })
  watch(
    events.data,
    (data) => {
      if (!data) return
      if (data.events.some((event) => event.gap)) return check()
      const folded = foldSpending(list.items.value, data.events)
      if (folded === null) return
      list.items.value = folded
      checkSoon()
    },
    { flush: 'sync' },
  )
  // At midnight of the deployment the day's spending begins anew.
  watch(
    () => list.items.value.some((key) => Date.parse(key.dayResetsAt) <= now.value),
    (isOver) => isOver && check(),
  )
  onScopeDispose(socket.onReturn(check))
  onScopeDispose(() => clearTimeout(timer))
}
