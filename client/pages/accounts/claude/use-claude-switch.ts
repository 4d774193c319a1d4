import { computed, type Ref } from 'vue'
import { useRead } from '../../../data/use-read.ts'
import { type ClaudeSwitch, claudeSwitchQuery } from '../../../graphql/claude-operations.ts'
import { useParts } from '../../../shell/parts.ts'

/** Whether Claude subscription accounts take part in this deployment; undefined until it is read. */
export function useClaudeSwitch(): { claude: Readonly<Ref<ClaudeSwitch | undefined>>; refetch: () => Promise<void> } {
  const { session } = useParts()
  const { data, refetch } = useRead(claudeSwitchQuery, { isAdmin: session.isAdmin.value })
  return { claude: computed(() => data.value?.claudeAccounts ?? undefined), refetch }
}
