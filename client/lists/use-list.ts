import type { TypedDocumentNode } from '@urql/core'
import { useClientHandle } from '@urql/vue'
import { computed, type Ref, ref, shallowRef, watch } from 'vue'
import { type ReadError, readErrorOf } from '../data/read-error.ts'
import { type Read, useRead } from '../data/use-read.ts'

interface Connection<Row> {
  list: { edges: readonly { node: Row }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } | null
}

export interface List<Row> extends Omit<Read<unknown>, 'data'> {
  rows: Readonly<Ref<readonly Row[]>>
  hasMore: Readonly<Ref<boolean>>
  /** Reads the next page; the cache joins it to the rows. */
  more: () => Promise<void>
  isLoadingMore: Readonly<Ref<boolean>>
}

const pageSize = 50

/** A connection's rows, page after page by cursor. Rows change when the cache does: by mutations and by live events. */
export function useList<Row, Variables extends Record<string, unknown>>(
  document: TypedDocumentNode<Connection<Row>, Variables & { first?: number | null; after?: string | null }>,
  filters: Readonly<Ref<Variables>>,
): List<Row> {
  const { client } = useClientHandle()
  const variables = computed(() => ({ first: pageSize, ...filters.value }))
  const read = useRead(document, variables)
  const isLoadingMore = ref(false)
  const moreError = shallowRef<ReadError>()
  watch(read.isLoading, () => {
    moreError.value = undefined
  })

  async function more(): Promise<void> {
    const after = read.data.value?.list?.pageInfo.endCursor ?? null
    isLoadingMore.value = true
    const { error } = await client.query(document, { ...variables.value, after }).toPromise()
    isLoadingMore.value = false
    moreError.value = readErrorOf(error)
  }

  return {
    ...read,
    error: computed(() => read.error.value ?? moreError.value),
    rows: computed(() => read.data.value?.list?.edges.map(({ node }) => node) ?? []),
    hasMore: computed(() => read.data.value?.list?.pageInfo.hasNextPage ?? false),
    more,
    isLoadingMore,
  }
}
