import type { TypedDocumentNode } from '@urql/core'
import { useClientHandle } from '@urql/vue'
import { MessagePlugin } from 'tdesign-vue-next/es/message/plugin'
import { type Ref, ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { useServerText } from '../locales/server-texts.ts'
import { type MutationOutcome, outcomeOf } from './outcome.ts'
import { troubleOf } from './trouble.ts'

type Answer = Parameters<typeof outcomeOf>[0]

/** Sends mutations of one form or one row: busy while one is under way, problems by field, a sentence for the rest. */
export function useVerb() {
  const { client } = useClientHandle()
  const { t } = useI18n()
  const say = useServerText()
  const isBusy = ref(false)
  const problems: Ref<Record<string, string>> = ref({})
  const message = ref('')

  async function send<Result extends Answer, Variables extends Record<string, unknown>>(
    document: TypedDocumentNode<{ result: Result }, Variables>,
    variables: Variables,
  ): Promise<MutationOutcome<Extract<Result, { __typename: `${string}Success` }>>> {
    isBusy.value = true
    problems.value = {}
    message.value = ''
    const { data, error } = await client.mutation(document, variables).toPromise()
    isBusy.value = false
    const trouble = troubleOf(error)
    const outcome: MutationOutcome<Extract<Result, { __typename: `${string}Success` }>> =
      data === undefined
        ? { ok: false, message: trouble?.kind === 'server' ? say(trouble.message) : t('state.offline'), fields: {} }
        : outcomeOf(data.result, say)
    if (!outcome.ok) {
      problems.value = outcome.fields
      // Where every problem stands beside its field, the sentence above the form would only repeat it.
      message.value = Object.keys(outcome.fields).length === 0 ? outcome.message : ''
    }
    return outcome
  }

  /** As `send`, for verbs without a form: a failure is told in a passing message. */
  async function tell<Result extends Answer, Variables extends Record<string, unknown>>(
    document: TypedDocumentNode<{ result: Result }, Variables>,
    variables: Variables,
  ) {
    const outcome = await send(document, variables)
    if (!outcome.ok) void MessagePlugin.error(message.value || Object.values(outcome.fields).join(' '))
    return outcome
  }

  function reset(): void {
    problems.value = {}
    message.value = ''
  }

  return { isBusy, problems, message, send, tell, reset }
}
