import { MessagePlugin } from 'tdesign-vue-next/es/message/plugin'
import { onScopeDispose } from 'vue'
import { useI18n } from 'vue-i18n'
import { type RouteLocationNormalized, useRouter } from 'vue-router'

/**
 * Pages whose code could not be loaded. After an upgrade it has another name, which a full load finds; while the server is
 * away that would lose the page at hand as well, so that the way there is only taken once somebody answers.
 */
export function useFullLoad(): void {
  const { t } = useI18n()
  const router = useRouter()
  // Half of a page may have come, without its styles: from then on it is loaded in full.
  const torn = new Set<string>()

  async function load(to: RouteLocationNormalized): Promise<void> {
    try {
      await fetch(to.path, { method: 'HEAD', cache: 'no-store' })
    } catch {
      void MessagePlugin.warning(t('state.offline'))
      return
    }
    window.location.assign(to.fullPath)
  }

  onScopeDispose(
    router.onError((_error, to) => {
      torn.add(to.path)
      void load(to)
    }),
  )
  onScopeDispose(
    router.beforeEach((to) => {
      if (!torn.has(to.path)) return true
      void load(to)
      return false
    }),
  )
}
