import type { RequestPolicy, TypedDocumentNode } from '@urql/core'
import { useQuery } from '@urql/vue'
import { computed, type MaybeRefOrGetter, onScopeDispose, type Ref, shallowRef, watch } from 'vue'
import { useParts } from '../shell/parts.ts'
import { type ReadError, readErrorOf } from './read-error.ts'

export interface Read<Data> {
  /** The latest data; it stays when a later read fails. It changes when the cache changes. */
  data: Readonly<Ref<Data | undefined>>
  /** True until data or an error has come. */
  isFirst: Readonly<Ref<boolean>>
  /** True while a request for it is under way. */
  isLoading: Readonly<Ref<boolean>>
  /** Why the last read failed. */
  error: Readonly<Ref<ReadError | undefined>>
  /** Reads from the server. Called during a read, it reads once more afterwards: that response may be older than the call. */
  refetch: () => Promise<void>
}

/** Data of a page: shown from the cache, read from the server, and read again after the connection was lost. */
export function useRead<Data, Variables extends Record<string, unknown>>(
  document: TypedDocumentNode<Data, Variables>,
  variables: MaybeRefOrGetter<Variables>,
  options: {
    pause?: MaybeRefOrGetter<boolean>
    /** `network-only` for what is old as soon as it is cached, such as running requests. */
    policy?: RequestPolicy
    /** Called with each response of the server, not with cached data. */
    onResponse?: (data: Data) => void
  } = {},
): Read<Data> {
  const { socket } = useParts()
  const query = useQuery<Data, Variables>({
    query: document,
    variables: variables as Variables,
    ...(options.pause !== undefined && { pause: options.pause }),
    ...(options.policy !== undefined && { requestPolicy: options.policy }),
  })
  const data: Ref<Data | undefined> = shallowRef()
  const error = shallowRef<ReadError>()
  watch(
    () => [query.data.value, query.error.value] as const,
    ([next, failure]) => {
      if (next !== undefined && next !== null) data.value = next
      error.value = readErrorOf(failure)
    },
    { immediate: true, flush: 'sync' },
  )
  // A cached result is stale while its request is under way.
  const isLoading = computed(() => query.fetching.value || query.stale.value)
  watch(
    isLoading,
    (loading) => {
      const next = query.data.value
      if (!loading && next !== undefined && next !== null) options.onResponse?.(next)
    },
    { immediate: true, flush: 'sync' },
  )
  let reading: Promise<void> | undefined
  let isNeededAgain = false

  async function read(): Promise<void> {
    do {
      isNeededAgain = false
      await query.executeQuery({ requestPolicy: 'network-only' })
    } while (isNeededAgain)
  }

  function refetch(): Promise<void> {
    if (reading !== undefined) isNeededAgain = true
    reading ??= read().finally(() => {
      reading = undefined
    })
    return reading
  }

  onScopeDispose(socket.onReturn(() => void refetch()))
  return {
    data,
    isFirst: computed(() => data.value === undefined && error.value === undefined),
    isLoading,
    error,
    refetch,
  }
}
