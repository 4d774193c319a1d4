/**
 * Takes the key of a link out of the address bar and of this tab's history, at once: `#key=`, which browsers do not send, or
 * `?api_key=` as older links have it.
 */
export function takeKeySecret(
  location: { pathname: string; search: string; hash: string },
  history: { replaceState: (state: unknown, title: string, url: string) => void },
): string | undefined {
  if (location.pathname !== '/stats/api-key') return undefined
  const secret =
    new URLSearchParams(location.hash.slice(1)).get('key') ?? new URLSearchParams(location.search).get('api_key')
  if (location.hash !== '' || location.search !== '') history.replaceState(null, '', location.pathname)
  return secret === null || secret === '' ? undefined : secret
}
