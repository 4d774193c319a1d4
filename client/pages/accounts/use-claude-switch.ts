import { useClientHandle } from '@urql/vue'
import { type Ref, shallowRef } from 'vue'
import { type ClaudeSwitch, claudeSwitchQuery } from '../../graphql/claude-operations.ts'
import { useParts } from '../../shell/parts.ts'

/** Whether Claude subscription accounts take part in this deployment; undefined until it is read. */
export function useClaudeSwitch(): { claude: Readonly<Ref<ClaudeSwitch | undefined>>; reload: () => Promise<void> } {
  const { client } = useClientHandle()
  const { session } = useParts()
  const claude = shallowRef<ClaudeSwitch>()
  async function reload(): Promise<void> {
    const { data } = await client.query(claudeSwitchQuery, { isAdmin: session.isAdmin.value }).toPromise()
    if (data) claude.value = data.claudeAccounts
  }
  void reload()
  return { claude, reload }
}
