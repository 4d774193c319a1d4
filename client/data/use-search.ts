import { useClientHandle } from '@urql/vue'
import { openGroupsQuery } from '../graphql/group-operations.ts'
import { keyNamesQuery } from '../graphql/key-operations.ts'
import { usersQuery } from '../graphql/user-operations.ts'

/** Undefined: no response came. */
type Search = (search: string) => Promise<{ value: string; label: string }[] | undefined>

/** Searches groups that this person may put keys or accounts into. */
export function useGroupSearch(open: 'KEYS' | 'ACCOUNTS'): Search {
  const { client } = useClientHandle()
  return async (search) => {
    const { data } = await client.query(openGroupsQuery, { search: search || null, usableFor: open }).toPromise()
    return data?.list?.edges.map(({ node }) => ({ value: node.id, label: node.name }))
  }
}

/** Searches keys that this person may see. */
export function useKeySearch(): Search {
  const { client } = useClientHandle()
  return async (search) => {
    const { data } = await client.query(keyNamesQuery, { search: search || null }).toPromise()
    return data?.list?.edges.map(({ node }) => ({ value: node.id, label: node.name }))
  }
}

/** Searches people; for administrators. */
export function useUserSearch(): Search {
  const { client } = useClientHandle()
  return async (search) => {
    const { data } = await client.query(usersQuery, { search: search || null }).toPromise()
    return data?.list?.edges.map(({ node }) => ({ value: node.id, label: node.username }))
  }
}
