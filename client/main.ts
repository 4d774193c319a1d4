import urql from '@urql/vue'
import 'tdesign-vue-next/es/style/index.css'
import { createApp, watch } from 'vue'
import App from './App.vue'
import { createGraphqlClient } from './graphql/client.ts'
import { post } from './graphql/post.ts'
import { refreshSession } from './graphql/session-operations.ts'
import { createSocket } from './graphql/socket.ts'
import { createLanguage } from './locales/language.ts'
import { takeSetupToken } from './pages/setup/setup-token.ts'
import { paths } from './paths.ts'
import { createPages } from './router.ts'
import { createSession } from './session.ts'
import { partsKey } from './shell/parts.ts'
import { createTheme } from './shell/theme.ts'
import './shell/form.css'
import './style.css'

// Before anything else can read, store or send the address.
const setupToken = takeSetupToken(window.location, window.history)

const channel = new BroadcastChannel('relay.session')
const session = createSession({
  refresh: async () => {
    const { result } = await post(refreshSession, {})
    return result.__typename === 'RefreshSessionSuccess' ? result : undefined
  },
  // Plain http on a strange host has no lock manager; there the server's grace for twin refreshes must do.
  alone: async (work) =>
    navigator.locks === undefined ? work() : await navigator.locks.request('relay.session', work),
  channel: {
    post: (message) => channel.postMessage(message),
    hear: (listener) => channel.addEventListener('message', (event: MessageEvent<unknown>) => listener(event.data)),
  },
  now: Date.now,
})
const socket = createSocket(session, `${window.location.origin.replace(/^http/, 'ws')}/graphql`)
const theme = createTheme()

await session.start()

const router = createPages(session)
watch(session.user, (user) => {
  if (user !== undefined || router.currentRoute.value.meta.open === true) return
  void router.replace({ path: paths.signin, query: { next: router.currentRoute.value.fullPath } })
})

createApp(App)
  .use(createLanguage())
  .use(urql, createGraphqlClient({ session, socket }))
  .use(router)
  .provide(partsKey, { session, socket, theme })
  .provide('setupToken', setupToken)
  .mount('#app')
