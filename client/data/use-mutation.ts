import type { TypedDocumentNode } from '@urql/core'
import { useClientHandle } from '@urql/vue'
import { type Ref, ref } from 'vue'
import { showMessage } from '../shell/dialog/message.ts'
import { type MutationOutcome, outcomeOf } from './outcome.ts'
import { useProblemText } from './problem-text.ts'
import { readErrorOf } from './read-error.ts'

type Payload = Parameters<typeof outcomeOf>[0]
type Success<Result extends Payload> = Extract<Result, { __typename: `${string}Success` }>

/** Sends mutations of one form or one row: busy while one is under way, problems by field, a sentence for the rest. */
export function useMutation() {
  const { client } = useClientHandle()
  const text = useProblemText()
  const isBusy = ref(false)
  const problems: Ref<Record<string, string>> = ref({})
  const message = ref('')

  async function send<Result extends Payload, Variables extends Record<string, unknown>>(
    document: TypedDocumentNode<{ result: Result }, Variables>,
    variables: Variables,
  ): Promise<MutationOutcome<Success<Result>>> {
    isBusy.value = true
    problems.value = {}
    message.value = ''
    const { data, error } = await client.mutation(document, variables).toPromise()
    isBusy.value = false
    const outcome: MutationOutcome<Success<Result>> =
      data === undefined || data === null
        ? { ok: false, message: text.ofError(readErrorOf(error) ?? { kind: 'offline' }), fields: {} }
        : outcomeOf(data.result, text)
    if (!outcome.ok) {
      problems.value = outcome.fields
      // Where every problem stands beside its field, the sentence above the form would only repeat it.
      message.value = Object.keys(outcome.fields).length === 0 ? outcome.message : ''
    }
    return outcome
  }

  /** As `send`, for actions without a form: a failure is shown in a passing message. */
  async function run<Result extends Payload, Variables extends Record<string, unknown>>(
    document: TypedDocumentNode<{ result: Result }, Variables>,
    variables: Variables,
  ) {
    const outcome = await send(document, variables)
    if (!outcome.ok) void showMessage('error', message.value || Object.values(outcome.fields).join(' '))
    return outcome
  }

  return { isBusy, problems, message, send, run }
}
