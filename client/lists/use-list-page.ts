import type { TypedDocumentNode } from '@urql/core'
import { computed, type Ref, ref, shallowRef } from 'vue'
import { useI18n } from 'vue-i18n'
import { onBeforeRouteUpdate, useRoute, useRouter } from 'vue-router'
import type { outcomeOf } from '../data/outcome.ts'
import { useMutation } from '../data/use-mutation.ts'
import { ask } from '../shell/ask.ts'
import { type ListState, momentsOf, readListState, writeListState } from './filters.ts'
import { type List, useList } from './use-list.ts'

export interface ListPage<Row> {
  list: List<Row>
  /** Search, filters, days and order, as the address says them. */
  state: Readonly<Ref<ListState>>
  /** Changes some of them; the address keeps them, so that a reload and the way back find the same rows. */
  change: (part: Partial<ListState>) => void
  /** The edit dialog: of a row, or of a new one; undefined while it is closed. */
  dialog: Ref<{ row?: Row } | undefined>
  add: () => void
  edit: (row: Row) => void
  close: () => void
  /** Asks, then deletes. */
  remove: (row: Row) => void
}

type Payload = Parameters<typeof outcomeOf>[0]

/** What the server can narrow a list by. */
type Variables = { search?: string | null; from?: string | null; to?: string | null } & Record<string, unknown>

/** What every page of a list does: read, filter, open and close its edit dialog, delete. Texts are `<noun>.…`. */
export function useListPage<Row extends { id: string; name: string }>(parts: {
  noun: 'accounts' | 'keys' | 'groups'
  query: Parameters<typeof useList<Row, Variables>>[0]
  /** Names of filters in the address → the query's variables. */
  variables?: (filters: ListState['filters']) => Record<string, unknown>
  /** True where the query takes `from` and `to`. */
  hasRange?: boolean
  remove: TypedDocumentNode<{ result: Payload }, { id: string }>
}): ListPage<Row> {
  const { t } = useI18n()
  const { run } = useMutation()
  const router = useRouter()
  // Not the route itself: it changes before the page is left, and the list would be read for another page's address.
  const state = ref(readListState(useRoute().query))
  onBeforeRouteUpdate((to) => {
    state.value = readListState(to.query)
  })
  const variables = computed<Variables>(() => ({
    search: state.value.search || null,
    ...parts.variables?.(state.value.filters),
    ...(parts.hasRange && momentsOf(state.value)),
  }))
  const list = useList<Row, Variables>(parts.query, variables)
  const dialog = shallowRef<{ row?: Row }>()
  return {
    list,
    state,
    change: (part) => void router.replace({ query: writeListState({ ...state.value, ...part }) }),
    dialog,
    add: () => {
      dialog.value = {}
    },
    edit: (row) => {
      dialog.value = { row }
    },
    close: () => {
      dialog.value = undefined
    },
    remove: ({ id, name }) => {
      const words = { header: t(`${parts.noun}.removeTitle`, { name }), body: t(`${parts.noun}.removeText`) }
      ask({ ...words, confirm: t('act.remove'), cancel: t('act.cancel') }, () => run(parts.remove, { id }))
    },
  }
}
