import { onScopeDispose, type Ref, ref } from 'vue'

let watchers = 0
let timer: ReturnType<typeof setInterval> | undefined
const now = ref(Date.now())

/** The time, to the second, for all values on the page: one timer while somebody looks, none otherwise. */
export function useNow(): Readonly<Ref<number>> {
  if (watchers++ === 0) {
    now.value = Date.now()
    timer = setInterval(() => {
      now.value = Date.now()
    }, 1000)
  }
  onScopeDispose(() => {
    if (--watchers === 0) clearInterval(timer)
  })
  return now
}
