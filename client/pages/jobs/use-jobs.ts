import { useClientHandle } from '@urql/vue'
import { onScopeDispose, type Ref, ref, shallowRef } from 'vue'
import { type Job, jobsQuery } from '../../graphql/job-operations.ts'
import { type Trouble, troubleOf } from '../../graphql/trouble.ts'
import { useParts } from '../../shell/parts.ts'

export interface Jobs {
  jobs: Ref<Job[] | undefined>
  isLoading: Ref<boolean>
  trouble: Ref<Trouble | undefined>
  reload: () => Promise<void>
}

/** A run that just rang needs a moment to be written. */
const afterMs = 2_000
/** However often a job runs, nobody reads that fast. */
const leastMs = 5_000

/** What the relay does by itself. Read again when the next of them was due: they say when that is. */
export function useJobs(): Jobs {
  const { client } = useClientHandle()
  const { socket } = useParts()
  const jobs = shallowRef<Job[]>()
  const isLoading = ref(false)
  const trouble = shallowRef<Trouble>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let isOver = false

  async function reload(): Promise<void> {
    clearTimeout(timer)
    isLoading.value = true
    const { data, error } = await client.query(jobsQuery, {}).toPromise()
    isLoading.value = false
    trouble.value = troubleOf(error)
    if (data === undefined || isOver) return
    jobs.value = data.jobs
    const next = Math.min(...data.jobs.flatMap(({ nextAt }) => (nextAt === null ? [] : [Date.parse(nextAt)])))
    clearTimeout(timer)
    if (Number.isFinite(next)) timer = setTimeout(() => void due(), Math.max(next - Date.now() + afterMs, leastMs))
  }

  // Nobody looks: the one who comes back finds it read anew.
  const due = async (): Promise<void> => {
    if (!document.hidden) await reload()
  }
  const look = (): void => void due()
  document.addEventListener('visibilitychange', look)
  onScopeDispose(() => {
    isOver = true
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', look)
  })
  onScopeDispose(socket.onReturn(() => void reload()))
  void reload()
  return { jobs, isLoading, trouble, reload }
}
