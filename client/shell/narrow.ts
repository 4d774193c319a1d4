import { onScopeDispose, type Ref, ref } from 'vue'

/** True on screens too narrow for a whole table (the same border as in the style sheets). */
export function useNarrow(): Readonly<Ref<boolean>> {
  const query = matchMedia('(max-width: 767px)')
  const isNarrow = ref(query.matches)
  const hear = (event: MediaQueryListEvent): void => {
    isNarrow.value = event.matches
  }
  query.addEventListener('change', hear)
  onScopeDispose(() => query.removeEventListener('change', hear))
  return isNarrow
}
