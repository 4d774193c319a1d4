/** The pages' paths. The server answers these with index.html (server/static-client.ts has the same list; a test compares). */
export const paths = {
  home: '/',
  live: '/live',
  accounts: '/accounts',
  keys: '/keys',
  groups: '/groups',
  rejections: '/rejections',
  users: '/users',
  rules: '/rules',
  jobs: '/jobs',
  settings: '/settings',
  fallbackPrices: '/fallback-prices',
  signin: '/signin',
  setup: '/setup',
  password: '/password',
  ownKey: '/stats/api-key',
} as const

/** Where to go after signing in: only a path of this site, never another host. */
export function nextPath(next: unknown): string {
  return typeof next === 'string' && /^\/(?![/\\])/.test(next) ? next : paths.live
}
