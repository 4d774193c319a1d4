import { type Ref, ref } from 'vue'
import { onBeforeRouteUpdate, useRoute, useRouter } from 'vue-router'
import { type ListState, readListState, writeListState } from './filters.ts'

/** Search, filters, days and order of a list. The address keeps them, so that a reload and the way back find the same rows. */
export function useListState(): { state: Readonly<Ref<ListState>>; change: (part: Partial<ListState>) => void } {
  const router = useRouter()
  // Not the route itself: it changes before the page is left, and the list would be read for another page's address.
  const state = ref(readListState(useRoute().query))
  onBeforeRouteUpdate((to) => {
    state.value = readListState(to.query)
  })
  return { state, change: (part) => void router.replace({ query: writeListState({ ...state.value, ...part }) }) }
}
