import type { Exchange } from '@urql/core'
import urql from '@urql/vue'
import 'tdesign-vue-next/es/style/index.css'
import { createApp, shallowRef, watch } from 'vue'
import App from './App.vue'
import { createGraphqlClient } from './data/client.ts'
import { post } from './data/post.ts'
import { createSocket } from './data/socket.ts'
import { refreshSession } from './graphql/session-operations.ts'
import { createLanguages } from './locales/language.ts'
import { takeKeySecret } from './pages/own-key/key-secret.ts'
import { takeSetupToken } from './pages/setup/setup-token.ts'
import { paths } from './paths.ts'
import { createPages } from './router.ts'
import { createSession } from './session.ts'
import { partsKey } from './shell/parts.ts'
import { createTheme } from './shell/theme.ts'
import './forms/form.css'
import './style.css'

// Before anything else can read, store or send the address.
const setupToken = takeSetupToken(window.location, window.history)
const keySecret = takeKeySecret(window.location, window.history)

const channel = new BroadcastChannel('relay.session')
const session = createSession({
  refresh: async () => {
    const { result } = await post(refreshSession, {})
    return result.__typename === 'RefreshSessionSuccess' ? result.session : undefined
  },
  // Without https there is no lock manager; the server tolerates two refreshes at almost the same time.
  exclusive: async (work) =>
    navigator.locks === undefined ? work() : await navigator.locks.request('relay.session', work),
  channel: {
    post: (message) => channel.postMessage(message),
    onMessage: (listener) =>
      channel.addEventListener('message', (event: MessageEvent<unknown>) => listener(event.data)),
  },
  now: Date.now,
})
const socket = createSocket(session, `${window.location.origin.replace(/^http/, 'ws')}/graphql`)
const theme = createTheme()

const [languages] = await Promise.all([createLanguages(), session.start()])
const router = createPages({ session, languages })
// The cache is loaded with the first page behind the sign-in.
let createCache: (() => Exchange) | undefined
const createClient = () => createGraphqlClient({ session, socket, cache: createCache?.() })
const client = shallowRef(createClient())
// Another person must not see what the cache has of the one before.
watch(
  () => session.user.value?.id,
  () => {
    client.value = createClient()
  },
)
router.beforeResolve(async (to) => {
  if (to.meta.open === true || createCache !== undefined) return
  createCache = (await import('./data/cache.ts')).createCache
  client.value = createClient()
})
watch(session.user, (user) => {
  if (user !== undefined || router.currentRoute.value.meta.open === true) return
  void router.replace({ path: paths.signin, query: { next: router.currentRoute.value.fullPath } })
})

createApp(App)
  .use(languages.i18n)
  .use(urql, client)
  .use(router)
  .provide(partsKey, { session, socket, theme, languages })
  .provide('setupToken', setupToken)
  .provide('keySecret', keySecret)
  .mount('#app')
