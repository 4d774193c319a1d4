import { onScopeDispose, type Ref, ref } from 'vue'

/** True on screens too narrow for a whole table (the same border as in the style sheets). */
export function useNarrow(): Readonly<Ref<boolean>> {
  const query = matchMedia('(max-width: 767px)')
  const isNarrow = ref(query.matches)
  const onChange = (event: MediaQueryListEvent): void => {
    isNarrow.value = event.matches
  }
  query.addEventListener('change', onChange)
  onScopeDispose(() => query.removeEventListener('change', onChange))
  return isNarrow
}

/** The window's width in CSS pixels. */
export function useScreenWidth(): Readonly<Ref<number>> {
  const width = ref(window.innerWidth)
  const onResize = (): void => {
    width.value = window.innerWidth
  }
  window.addEventListener('resize', onResize)
  onScopeDispose(() => window.removeEventListener('resize', onResize))
  return width
}
