import { useClientHandle } from '@urql/vue'
import { computed, type Ref, ref, shallowRef, watch } from 'vue'
import { useEvents } from '../../../data/use-events.ts'
import { type Read, useRead } from '../../../data/use-read.ts'
import { type AccountStep, accountEvents, type Probe, timelineQuery } from '../../../graphql/account-operations.ts'
import { mergeSteps } from './merge-steps.ts'

export interface Timeline extends Omit<Read<unknown>, 'data'> {
  /** The newest first. */
  steps: Readonly<Ref<readonly AccountStep[]>>
  /** The latest recovery probes, the newest first. */
  probes: Readonly<Ref<readonly Probe[]>>
  hasMore: Readonly<Ref<boolean>>
  more: () => Promise<void>
}

/** The state changes of one account: read page by page, and extended by live events. */
export function useTimeline(accountId: string): Timeline {
  const { client } = useClientHandle()
  const read = useRead(timelineQuery, { id: accountId, after: null })
  const account = computed(() => {
    const node = read.data.value?.node
    return node && 'timeline' in node ? node : undefined
  })
  const steps = shallowRef<readonly AccountStep[]>([])
  const lastPage = shallowRef<{ hasNextPage: boolean; endCursor: string | null }>()
  const isLoadingMore = ref(false)
  watch(
    account,
    (next) => {
      if (!next?.timeline) return
      steps.value = mergeSteps(
        next.timeline.edges.map(({ node }) => node),
        steps.value,
      )
      lastPage.value ??= next.timeline.pageInfo
    },
    { immediate: true },
  )

  async function more(): Promise<void> {
    const after = lastPage.value?.endCursor ?? null
    isLoadingMore.value = true
    const { data } = await client.query(timelineQuery, { id: accountId, after }).toPromise()
    isLoadingMore.value = false
    if (!data?.node || !('timeline' in data.node) || !data.node.timeline) return
    steps.value = mergeSteps(
      steps.value,
      data.node.timeline.edges.map(({ node }) => node),
    )
    lastPage.value = data.node.timeline.pageInfo
  }

  useEvents(accountEvents, {
    reads: [read],
    onEvents: (events) => {
      const fresh = events.flatMap(({ account, steps }) => (account?.id === accountId ? steps : []))
      if (fresh.length > 0) steps.value = mergeSteps(fresh, steps.value)
      // A probe is stored before its event is sent.
      if (fresh.some(({ cause }) => cause === 'PROBE')) void read.refetch()
    },
  })
  return {
    ...read,
    isLoading: computed(() => read.isLoading.value || isLoadingMore.value),
    steps,
    probes: computed(() => account.value?.probes?.nodes ?? []),
    hasMore: computed(() => lastPage.value?.hasNextPage ?? false),
    more,
  }
}
