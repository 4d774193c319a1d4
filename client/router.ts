import { createRouter, createWebHistory, type Router } from 'vue-router'
import { paths } from './paths.ts'
import type { Session } from './session.ts'

/** Pages by path; everything but setup and sign-in asks for a session first. `title` is the key of what the tab is called. */
export function createPages(session: Session): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      {
        path: paths.setup,
        component: () => import('./pages/setup/SetupPage.vue'),
        meta: { open: true, title: 'setup.title' },
      },
      {
        path: paths.signin,
        component: () => import('./pages/signin/SignInPage.vue'),
        meta: { open: true, title: 'signin.title' },
      },
      {
        path: paths.password,
        component: () => import('./pages/password/PasswordPage.vue'),
        meta: { title: 'password.title' },
      },
      {
        path: paths.home,
        component: () => import('./shell/AppShell.vue'),
        redirect: paths.live,
        children: [
          { path: paths.live, component: () => import('./pages/live/LivePage.vue'), meta: { title: 'live.title' } },
          {
            path: paths.accounts,
            component: () => import('./pages/accounts/AccountsPage.vue'),
            meta: { title: 'accounts.title' },
          },
          { path: paths.keys, component: () => import('./pages/keys/KeysPage.vue'), meta: { title: 'keys.title' } },
          {
            path: paths.groups,
            component: () => import('./pages/groups/GroupsPage.vue'),
            meta: { title: 'groups.title' },
          },
          {
            path: paths.rules,
            component: () => import('./pages/rules/RulesPage.vue'),
            meta: { admin: true, title: 'rules.title' },
          },
          {
            path: paths.jobs,
            component: () => import('./pages/jobs/JobsPage.vue'),
            meta: { admin: true, title: 'jobs.title' },
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
