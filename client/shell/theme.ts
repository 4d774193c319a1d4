import { type Ref, ref, watchEffect } from 'vue'

export const themes = ['light', 'dark', 'system'] as const
export type Theme = (typeof themes)[number]

const storageKey = 'relay.theme'

/** Light, dark or as the system: kept for the next visit, followed while the system changes. */
export function createTheme(): Ref<Theme> {
  const stored = localStorage.getItem(storageKey)
  const theme = ref<Theme>(themes.find((name) => name === stored) ?? 'system')
  const system = matchMedia('(prefers-color-scheme: dark)')
  const systemDark = ref(system.matches)
  system.addEventListener('change', (event) => {
    systemDark.value = event.matches
  })
  watchEffect(() => {
    localStorage.setItem(storageKey, theme.value)
    const isDark = theme.value === 'dark' || (theme.value === 'system' && systemDark.value)
    document.documentElement.setAttribute('theme-mode', isDark ? 'dark' : 'light')
    document.documentElement.style.colorScheme = isDark ? 'dark' : 'light'
  })
  return theme
}
