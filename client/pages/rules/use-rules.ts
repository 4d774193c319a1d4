import { computed, type Ref, ref } from 'vue'
import { useMutation } from '../../data/use-mutation.ts'
import { type Read, useRead } from '../../data/use-read.ts'
import { type BuiltInRule, orderRules, type Rule, rulesQuery } from '../../graphql/rule-operations.ts'

export interface Rules extends Omit<Read<unknown>, 'data'> {
  rules: Readonly<Ref<readonly Rule[]>>
  builtIn: Readonly<Ref<readonly BuiltInRule[]>>
  /** Up (−1) or down (1) among its neighbours. */
  move: (rule: Rule, by: -1 | 1) => Promise<void>
}

/** The error rules in their order, and the built-in ones after them. */
export function useRules(): Rules {
  const { run } = useMutation()
  // The built-in rules of Anthropic's format; today's other formats have no table of their own.
  const read = useRead(rulesQuery, { platform: 'CONSOLE' })
  /** The order that was asked for, until the server's is read. */
  const wanted = ref<string[]>()
  const rules = computed(() => {
    const known = read.data.value?.rules ?? []
    const order = wanted.value
    return order === undefined ? known : [...known].sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id))
  })

  async function move(rule: Rule, by: -1 | 1): Promise<void> {
    const ids = rules.value.map(({ id }) => id)
    const at = ids.indexOf(rule.id)
    const other = ids[at + by]
    if (other === undefined) return
    ids[at] = other
    ids[at + by] = rule.id
    wanted.value = ids
    await run(orderRules, { ids })
    await read.refetch()
    wanted.value = undefined
  }

  return { ...read, rules, builtIn: computed(() => read.data.value?.builtIn ?? []), move }
}
