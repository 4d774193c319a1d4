import type { TypedDocumentNode } from '@urql/core'
import { useSubscription } from '@urql/vue'
import { type MaybeRefOrGetter, type Ref, ref, watch } from 'vue'
import type { Read } from './use-read.ts'

/** A message of a feed. A gap says how many events before it were lost; null: unknown. */
interface Feed<Event> {
  cursor: string
  gap: { dropped: number | null } | null
  events: readonly Event[]
}

export interface Events {
  /** Number of events lost for good since the page opened. */
  missed: Ref<number>
}

/**
 * A live feed, resumed by its cursor after a break (data/resume.ts). After a gap the given reads are read again; so is a
 * read that was under way when events came, because its response may be older than they are.
 */
export function useEvents<Event>(
  document: TypedDocumentNode<{ feed: Feed<Event> }, { after?: string | null }>,
  options: {
    reads?: readonly Pick<Read<unknown>, 'isLoading' | 'refetch'>[]
    onEvents?: (events: readonly Event[]) => void
    onGap?: () => void
    pause?: MaybeRefOrGetter<boolean>
  },
): Events {
  const { reads = [], onEvents, onGap } = options
  const missed = ref(0)
  const feed = useSubscription({
    query: document,
    variables: {},
    ...(options.pause !== undefined && { pause: options.pause }),
  })
  watch(
    feed.data,
    (data) => {
      if (!data) return
      const { gap, events } = data.feed
      // The first message tells only where the feed stands.
      if (gap === null && events.length === 0) return
      onEvents?.(events)
      missed.value += gap?.dropped ?? 0
      if (gap) onGap?.()
      for (const read of reads) if (gap || read.isLoading.value) void read.refetch()
    },
    { flush: 'sync' },
  )
  return { missed }
}
