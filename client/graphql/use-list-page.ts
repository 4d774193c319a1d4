import type { TypedDocumentNode } from '@urql/core'
import { type Ref, ref, shallowRef } from 'vue'
import { useI18n } from 'vue-i18n'
import { onBeforeRouteUpdate, type RouteLocation, useRoute, useRouter } from 'vue-router'
import { ask } from '../shell/ask.ts'
import type { outcomeOf } from './outcome.ts'
import { type List, useList } from './use-list.ts'
import { useVerb } from './use-verb.ts'

export interface ListPage<Row> {
  list: List<Row>
  /** What the list is searched for now. */
  search: Ref<string>
  /** Searches; the address keeps for what, so that a reload and the way back find the same rows. */
  find: (text: string) => void
  /** The edit dialog: of a row, or of a new one; undefined while it is closed. */
  dialog: Ref<{ row?: Row } | undefined>
  add: () => void
  edit: (row: Row) => void
  close: () => void
  /** Lays a saved row over the list and closes the dialog. */
  saved: (row: Row) => void
  /** Asks, then deletes. */
  remove: (row: Row) => void
}

const searchOf = ({ query }: Pick<RouteLocation, 'query'>): string =>
  typeof query['search'] === 'string' ? query['search'] : ''

type Answer = Parameters<typeof outcomeOf>[0]

/** What every page of a list does: read, search, open and close its edit dialog, delete. Words are `<noun>.…`. */
export function useListPage<Row extends { id: string; name: string }>(parts: {
  noun: 'accounts' | 'keys' | 'groups'
  query: Parameters<typeof useList<Row>>[0]
  remove: TypedDocumentNode<{ result: Answer }, { id: string }>
}): ListPage<Row> {
  const { t } = useI18n()
  const { tell } = useVerb()
  const router = useRouter()
  const search = ref(searchOf(useRoute()))
  const list = useList<Row>(parts.query)
  const dialog = shallowRef<{ row?: Row }>()
  const close = (): void => {
    dialog.value = undefined
  }
  // Also by the menu, which leads to the whole list.
  onBeforeRouteUpdate((to) => {
    search.value = searchOf(to)
    void list.reload(search.value)
  })
  void list.reload(search.value)
  return {
    list,
    search,
    find: (text) => void router.replace({ query: text === '' ? {} : { search: text } }),
    dialog,
    add: () => {
      dialog.value = {}
    },
    edit: (row) => {
      dialog.value = { row }
    },
    close,
    saved: (row) => {
      list.put(row)
      close()
    },
    remove: ({ id, name }) => {
      const words = { header: t(`${parts.noun}.removeTitle`, { name }), body: t(`${parts.noun}.removeText`) }
      ask({ ...words, confirm: t('act.remove'), cancel: t('act.cancel') }, async () => {
        const outcome = await tell(parts.remove, { id })
        if (outcome.ok) list.drop(id)
      })
    },
  }
}
