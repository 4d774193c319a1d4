import { useClientHandle } from '@urql/vue'
import { onScopeDispose, type Ref, ref, shallowRef } from 'vue'
import { type BuiltInVerdict, orderRules, type Rule, rulesQuery } from '../../graphql/rule-operations.ts'
import { type Trouble, troubleOf } from '../../graphql/trouble.ts'
import { useVerb } from '../../graphql/use-verb.ts'
import { useParts } from '../../shell/parts.ts'

export interface Rules {
  rules: Ref<Rule[] | undefined>
  builtIn: Ref<BuiltInVerdict[]>
  isLoading: Ref<boolean>
  trouble: Ref<Trouble | undefined>
  reload: () => Promise<void>
  /** Puts a saved rule in its place, a new one at the end. */
  put: (rule: Rule) => void
  drop: (id: string) => void
  /** Up (−1) or down (1) among its neighbours. */
  move: (rule: Rule, by: -1 | 1) => Promise<void>
}

/** The rules in their order, and the table that is asked after them. */
export function useRules(): Rules {
  const { client } = useClientHandle()
  const { socket } = useParts()
  const { tell } = useVerb()
  const rules = shallowRef<Rule[]>()
  const builtIn = shallowRef<BuiltInVerdict[]>([])
  const isLoading = ref(false)
  const trouble = shallowRef<Trouble>()

  async function reload(): Promise<void> {
    isLoading.value = true
    // One table for all platforms that there are: Anthropic's own API, and what speaks like it.
    const { data, error } = await client.query(rulesQuery, { platform: 'CONSOLE' }).toPromise()
    isLoading.value = false
    trouble.value = troubleOf(error)
    if (data === undefined) return
    rules.value = data.rules
    builtIn.value = data.builtIn
  }

  async function move(rule: Rule, by: -1 | 1): Promise<void> {
    const before = rules.value ?? []
    const at = before.findIndex(({ id }) => id === rule.id)
    const other = before[at + by]
    if (other === undefined) return
    rules.value = before.map((one, index) => (index === at ? other : index === at + by ? rule : one))
    const outcome = await tell(orderRules, { ids: rules.value.map(({ id }) => id) })
    // Somebody else was faster: what they made of it is shown.
    if (!outcome.ok) await reload()
  }

  onScopeDispose(socket.onReturn(() => void reload()))
  void reload()
  return {
    rules,
    builtIn,
    isLoading,
    trouble,
    reload,
    put: (rule) => {
      const known = rules.value ?? []
      const isKnown = known.some(({ id }) => id === rule.id)
      rules.value = isKnown ? known.map((one) => (one.id === rule.id ? rule : one)) : [...known, rule]
    },
    drop: (id) => {
      rules.value = rules.value?.filter((rule) => rule.id !== id)
    },
    move,
  }
}
