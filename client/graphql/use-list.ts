import type { TypedDocumentNode } from '@urql/core'
import { useClientHandle } from '@urql/vue'
import { type Ref, ref, shallowRef } from 'vue'
import { type Trouble, troubleOf } from './trouble.ts'

interface Connection<Item> {
  list: { edges: readonly { node: Item }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } }
}

export interface List<Item> {
  items: Ref<Item[]>
  /** True until the first answer; later loads leave the rows standing. */
  isFirst: Ref<boolean>
  isLoading: Ref<boolean>
  trouble: Ref<Trouble | undefined>
  hasMore: Ref<boolean>
  /** Reads from the start again; an answer that a later call overtook is dropped. */
  reload: (search?: string) => Promise<void>
  more: () => Promise<void>
  /** Lays a mutation's answer over the row with the same id, or puts it on top. */
  put: (item: Item) => void
  drop: (id: string) => void
}

/** A connection's rows, page after page. */
export function useList<Item extends { id: string }>(
  document: TypedDocumentNode<
    Connection<Item>,
    { first?: number | null; after?: string | null; search?: string | null }
  >,
  pageSize = 50,
): List<Item> {
  const { client } = useClientHandle()
  const items = shallowRef<Item[]>([])
  const isFirst = ref(true)
  const isLoading = ref(false)
  const trouble = shallowRef<Trouble>()
  const cursor = ref<string | null>(null)
  const hasMore = ref(false)
  let search = ''
  let turn = 0

  async function load(after: string | null): Promise<void> {
    const mine = ++turn
    isLoading.value = true
    const { data, error } = await client.query(document, { first: pageSize, after, search: search || null }).toPromise()
    if (mine !== turn) return
    isLoading.value = false
    trouble.value = troubleOf(error)
    if (data === undefined) return
    const read = data.list.edges.map((edge) => edge.node)
    const known = new Set(read.map((item) => item.id))
    items.value = after === null ? read : [...items.value.filter((item) => !known.has(item.id)), ...read]
    cursor.value = data.list.pageInfo.endCursor
    hasMore.value = data.list.pageInfo.hasNextPage
    isFirst.value = false
  }

  return {
    items,
    isFirst,
    isLoading,
    trouble,
    hasMore,
    reload: (text = search) => {
      search = text
      return load(null)
    },
    more: () => load(cursor.value),
    put: (item) => {
      const isKnown = items.value.some((row) => row.id === item.id)
      items.value = isKnown ? items.value.map((row) => (row.id === item.id ? item : row)) : [item, ...items.value]
    },
    drop: (id) => {
      items.value = items.value.filter((row) => row.id !== id)
    },
  }
}
