import { computed, onScopeDispose, type Ref, watch } from 'vue'
import { type Read, useRead } from '../../data/use-read.ts'
import { type Job, jobsQuery } from '../../graphql/job-operations.ts'

/** A run that has just begun needs a moment to be written. */
const afterMs = 2_000
/** However often a job runs, nobody reads that fast. */
const minMs = 5_000

/** What the relay does by itself. Read again when the next job was due: jobs say when that is. */
export function useJobs(): Omit<Read<unknown>, 'data'> & { jobs: Readonly<Ref<readonly Job[]>> } {
  const read = useRead(jobsQuery, {})
  let timer: ReturnType<typeof setTimeout> | undefined
  // Whoever comes back to a hidden page finds it read anew.
  const refetchIfSeen = (): void => {
    if (!document.hidden) void read.refetch()
  }
  watch(
    read.data,
    (data) => {
      clearTimeout(timer)
      const moments = data?.jobs?.flatMap(({ nextAt }) => (nextAt === null ? [] : [Date.parse(nextAt)])) ?? []
      const next = Math.min(...moments)
      if (Number.isFinite(next)) timer = setTimeout(refetchIfSeen, Math.max(next - Date.now() + afterMs, minMs))
    },
    { immediate: true },
  )
  document.addEventListener('visibilitychange', refetchIfSeen)
  onScopeDispose(() => {
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', refetchIfSeen)
  })
  return { ...read, jobs: computed(() => read.data.value?.jobs ?? []) }
}
