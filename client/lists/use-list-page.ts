import type { TypedDocumentNode } from '@urql/core'
import { computed, type Ref, shallowRef } from 'vue'
import { useI18n } from 'vue-i18n'
import type { outcomeOf } from '../data/outcome.ts'
import { useMutation } from '../data/use-mutation.ts'
import { ask } from '../shell/dialog/ask.ts'
import { type ListState, momentsOf } from './filters.ts'
import { type List, useList } from './use-list.ts'
import { useListState } from './use-list-state.ts'

/** Nouns with a page of their own; their texts are in message files of this name. */
export type ListNoun = 'accounts' | 'keys' | 'groups' | 'users'

export interface ListPage<Row> {
  list: List<Row>
  state: Readonly<Ref<ListState>>
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
  noun: ListNoun
  query: Parameters<typeof useList<Row, Variables>>[0]
  /** Names of filters in the address → the query's variables. */
  variables?: (filters: ListState['filters']) => Record<string, unknown>
  /** True where the query takes `from` and `to`. */
  hasRange?: boolean
  /** Absent: rows of this noun are never deleted. */
  remove?: TypedDocumentNode<{ result: Payload }, { id: string }>
}): ListPage<Row> {
  const { t } = useI18n()
  const { run } = useMutation()
  const { state, change } = useListState()
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
    change,
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
      const { remove } = parts
      if (remove === undefined) return
      const words = { header: t(`${parts.noun}.removeTitle`, { name }), body: t(`${parts.noun}.removeText`) }
      ask({ ...words, confirm: t('act.remove'), cancel: t('act.cancel') }, () => run(remove, { id }))
    },
  }
}
