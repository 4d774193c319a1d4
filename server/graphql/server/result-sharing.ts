import {
  type ASTNode,
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  Kind,
  visit,
} from 'graphql'
import type { Plugin } from 'graphql-yoga'

/** Answers already made of an event (or list of them), by operation and viewer. */
type Made = Map<string, ExecutionResult | Promise<ExecutionResult>>

/**
 * Executes a subscription's selection once an event, not once an event and subscriber: events are public snapshots, so
 * that the answer depends on the event, the operation and the rights of the viewer only. `viewerKey` names those rights;
 * null: never shared.
 */
export function useSharedResults<Context extends Record<string, unknown>>(
  viewerKey: (context: Context) => string | null,
): Plugin<Context> {
  const made = new WeakMap<object, Made>()
  const operations = new WeakMap<DocumentNode, { number: number; isShareable: boolean }>()
  let operationCount = 0

  function operationOf(document: DocumentNode): { number: number; isShareable: boolean } {
    let operation = operations.get(document)
    if (!operation) {
      operation = { number: ++operationCount, isShareable: !usesVariablesInside(document) }
      operations.set(document, operation)
    }
    return operation
  }

  function answer(args: ExecutionArgs, event: unknown): ExecutionResult | Promise<ExecutionResult> {
    const run = () => execute({ ...args, rootValue: event }) as ExecutionResult | Promise<ExecutionResult>
    const key = viewerKey(args.contextValue as Context)
    const { number, isShareable } = operationOf(args.document)
    if (key === null || !isShareable || typeof event !== 'object' || event === null) return run()
    const answers: Made = made.get(event) ?? new Map()
    made.set(event, answers)
    const name = `${number}|${args.operationName ?? ''}|${key}`
    const known = answers.get(name)
    if (known) return known
    const result = run()
    answers.set(name, result)
    return result
  }

  async function subscribe(args: ExecutionArgs): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult> {
    const source = await createSourceEventStream(args)
    if (!(Symbol.asyncIterator in source)) return source
    const events = source[Symbol.asyncIterator]()
    const results: AsyncIterableIterator<ExecutionResult> = {
      async next() {
        const event = await events.next()
        return event.done ? { value: undefined, done: true } : { value: await answer(args, event.value), done: false }
      },
      async return() {
        await events.return?.()
        return { value: undefined, done: true }
      },
      async throw(error) {
        await events.return?.()
        throw error
      },
      [Symbol.asyncIterator]: () => results,
    }
    return results
  }

  return { onSubscribe: ({ setSubscribeFn }) => setSubscribeFn(subscribe) }
}

/** Variables that change what is selected: anywhere but in the arguments of the subscription's own field. */
function usesVariablesInside(document: DocumentNode): boolean {
  let found = false
  const look = (node: ASTNode): void => {
    const note = (): void => {
      found = true
    }
    visit(node, { Variable: note })
  }
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) look(definition)
    else
      for (const selection of definition.selectionSet.selections)
        look(selection.kind === Kind.FIELD ? { ...selection, arguments: [] } : selection)
  }
  return found
}
