import { useClientHandle, useSubscription } from '@urql/vue'
import { onScopeDispose, type Ref, ref, shallowRef, watch } from 'vue'
import { type AccountStep, accountChanged, type Probe, timelineQuery } from '../../graphql/account-operations.ts'
import { type Trouble, troubleOf } from '../../graphql/trouble.ts'
import { useParts } from '../../shell/parts.ts'
import { foldSteps } from './account-events.ts'

export interface Timeline {
  /** The newest first. */
  steps: Ref<AccountStep[]>
  /** The last looks whether it is back, the newest first. */
  probes: Ref<readonly Probe[]>
  isLoading: Ref<boolean>
  trouble: Ref<Trouble | undefined>
  hasMore: Ref<boolean>
  reload: () => Promise<void>
  more: () => Promise<void>
}

/** What became of one account: read page by page, kept by the steps that live changes tell. */
export function useTimeline(accountId: string): Timeline {
  const { client } = useClientHandle()
  const { socket } = useParts()
  const steps = shallowRef<AccountStep[]>([])
  const probes = shallowRef<readonly Probe[]>([])
  const isLoading = ref(true)
  const trouble = shallowRef<Trouble>()
  const hasMore = ref(false)
  let cursor: string | null = null

  async function load(after: string | null): Promise<void> {
    isLoading.value = true
    const { data, error } = await client.query(timelineQuery, { id: accountId, after }).toPromise()
    isLoading.value = false
    trouble.value = troubleOf(error)
    if (!data?.node || !('timeline' in data.node)) return
    const { timeline } = data.node
    probes.value = data.node.probes
    const read = timeline.edges.map(({ node }) => node)
    // What was told while the answer was under way is in both, or newer than it.
    steps.value = after === null ? foldSteps(read, steps.value) : foldSteps(steps.value, read)
    cursor = timeline.pageInfo.endCursor
    hasMore.value = timeline.pageInfo.hasNextPage
  }

  const changes = useSubscription({ query: accountChanged, variables: {} })
  watch(
    changes.data,
    (data) => {
      const told = data?.events.flatMap(({ account }) => (account?.accountId === accountId ? account.steps : [])) ?? []
      if (told.length > 0) steps.value = foldSteps(steps.value, told)
      // A probe is written before what it found is told.
      if (data?.events.some((event) => event.gap) || told.some(({ cause }) => cause === 'PROBE')) void load(null)
    },
    { flush: 'sync' },
  )
  onScopeDispose(socket.onReturn(() => void load(null)))
  void load(null)
  return { steps, probes, isLoading, trouble, hasMore, reload: () => load(null), more: () => load(cursor) }
}
