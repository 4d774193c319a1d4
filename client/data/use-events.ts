import type { TypedDocumentNode } from '@urql/core'
import { useSubscription } from '@urql/vue'
import { type MaybeRefOrGetter, type Ref, ref, watch } from 'vue'
import type { Read } from './use-read.ts'

/** One event of a feed. A gap says how many events before it were lost. */
interface FeedEvent {
  sequence: string
  gap: { dropped: number } | null
}

export interface Events {
  /** Events that were lost and could not be resumed since the page opened. */
  missed: Ref<number>
}

/**
 * A live feed, resumed by its cursor after a break (data/resume.ts). After a gap the given reads are read again; so is a
 * read that was under way when events came, because its response may be older than they are.
 */
export function useEvents<Event extends FeedEvent>(
  document: TypedDocumentNode<{ events: readonly Event[] }, { after?: string | null }>,
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
      onEvents?.(data.events)
      const gaps = data.events.flatMap(({ gap }) => (gap ? [gap.dropped] : []))
      missed.value += gaps.reduce((sum, dropped) => sum + dropped, 0)
      if (gaps.length > 0) onGap?.()
      for (const read of reads) if (gaps.length > 0 || read.isLoading.value) void read.refetch()
    },
    { flush: 'sync' },
  )
  return { missed }
}
