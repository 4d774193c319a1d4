/** Takes `?token=` of a setup link out of the address bar and of this tab's history, at once. */
export function takeSetupToken(
  location: { pathname: string; search: string },
  history: { replaceState: (state: unknown, title: string, url: string) => void },
): string | undefined {
  if (location.pathname !== '/setup') return undefined
  const token = new URLSearchParams(location.search).get('token')
  if (location.search !== '') history.replaceState(null, '', location.pathname)
  return token === null || token === '' ? undefined : token
}
