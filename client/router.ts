import type { Component } from 'vue'
import { createRouter, createWebHistory, type Router } from 'vue-router'
import type { Languages } from './locales/language.ts'
import { paths } from './paths.ts'
import type { Session } from './session.ts'

/** Pages by path, each with its message files; everything but setup and sign-in asks for a session first. `title` is a message key. */
export function createPages({ session, languages }: { session: Session; languages: Languages }): Router {
  /** A page is there when its code and its messages are. */
  const page =
    (load: () => Promise<{ default: Component }>, ...messages: string[]) =>
    async () => {
      const [module] = await Promise.all([load(), languages.load(messages)])
      return module
    }
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      {
        path: paths.setup,
        component: page(() => import('./pages/setup/SetupPage.vue'), 'sign-in'),
        meta: { open: true, title: 'setup.title' },
      },
      {
        path: paths.signin,
        component: page(() => import('./pages/signin/SignInPage.vue'), 'sign-in'),
        meta: { open: true, title: 'signin.title' },
      },
      {
        path: paths.ownKey,
        component: page(() => import('./pages/own-key/OwnKeyPage.vue'), 'own-key', 'keys', 'rejections'),
        meta: { open: true, title: 'ownKey.title' },
      },
      {
        path: paths.password,
        component: page(() => import('./pages/password/PasswordPage.vue'), 'sign-in'),
        meta: { title: 'password.title' },
      },
      {
        path: paths.home,
        component: page(() => import('./shell/AppShell.vue'), 'sign-in'),
        redirect: paths.live,
        children: [
          {
            path: paths.live,
            component: page(() => import('./pages/live/LivePage.vue'), 'live', 'route', 'causes'),
            meta: { title: 'live.title' },
          },
          {
            path: paths.accounts,
            component: page(() => import('./pages/accounts/AccountsPage.vue'), 'accounts', 'objects', 'causes'),
            meta: { title: 'accounts.title' },
          },
          {
            path: paths.keys,
            component: page(
              () => import('./pages/keys/KeysPage.vue'),
              'keys',
              'limits',
              'rejections',
              'objects',
              'route',
            ),
            meta: { title: 'keys.title' },
          },
          {
            path: paths.groups,
            component: page(
              () => import('./pages/groups/GroupsPage.vue'),
              'groups',
              'limits',
              'accounts',
              'objects',
              'causes',
            ),
            meta: { title: 'groups.title' },
          },
          {
            path: paths.rejections,
            component: page(() => import('./pages/rejections/RejectionsPage.vue'), 'rejections'),
            meta: { title: 'rejections.title' },
          },
          {
            path: paths.users,
            component: page(() => import('./pages/users/UsersPage.vue'), 'users', 'limits'),
            meta: { admin: true, title: 'users.title' },
          },
          {
            path: paths.rules,
            component: page(() => import('./pages/rules/RulesPage.vue'), 'rules', 'objects'),
            meta: { admin: true, title: 'rules.title' },
          },
          {
            path: paths.jobs,
            component: page(() => import('./pages/jobs/JobsPage.vue'), 'jobs', 'causes'),
            meta: { admin: true, title: 'jobs.title' },
          },
          {
            path: paths.settings,
            component: page(() => import('./pages/settings/SettingsPage.vue'), 'settings'),
            meta: { admin: true, title: 'settings.title' },
          },
          {
            path: paths.fallbackPrices,
            component: page(() => import('./pages/fallback-prices/FallbackPricesPage.vue'), 'fallback-prices'),
            meta: { admin: true, title: 'fallbackPrices.title' },
          },
          { path: '/:rest(.*)*', component: () => import('./shell/NotFound.vue'), meta: { title: 'shell.notFound' } },
        ],
      },
    ],
  })
  router.beforeEach((to) => {
    if (to.meta.open === true) return true
    if (session.user.value?.mustChangePassword === true) return to.path === paths.password || paths.password
    if (session.user.value !== undefined) return to.meta.admin !== true || session.isAdmin.value || paths.live
    return { path: paths.signin, query: to.path === paths.live ? {} : { next: to.fullPath } }
  })
  return router
}
