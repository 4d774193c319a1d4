import { useClientHandle } from '@urql/vue'
import { onMounted, type Ref, ref } from 'vue'
import { groupsQuery } from './group-operations.ts'

/** All groups as options of a select; undefined until they are read. */
export function useGroupOptions(): Ref<{ value: string; label: string }[] | undefined> {
  const { client } = useClientHandle()
  const options = ref<{ value: string; label: string }[]>()
  onMounted(async () => {
    const { data } = await client.query(groupsQuery, { first: 100 }).toPromise()
    options.value = data?.list.edges.map(({ node }) => ({ value: node.id, label: node.name }))
  })
  return options
}
