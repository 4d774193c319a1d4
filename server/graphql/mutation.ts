import type { InputObjectRef, ObjectRef, SchemaTypes } from '@pothos/core'
import { encodeGlobalID } from '@pothos/plugin-relay'
import type { z } from 'zod'
import { readIssue } from '../field-values.ts'
import { type AuditEntry, recordChange } from '../identity/audit.ts'
import type { LockName, Tx } from '../store/database.ts'
import { type FieldProblem, inputFailure, VerbFailure, type VerbFailureKind } from '../verb-failure.ts'
import { builder } from './builder.ts'
import { failureTypes, type Refusal, refusalOf } from './failures.ts'
import type { Context } from './server/context.ts'

type Types = typeof builder extends PothosSchemaTypes.SchemaBuilder<infer T extends SchemaTypes> ? T : never

/** The result of a change, and its audit entry. */
export interface Change<Answer> {
  answer: Answer
  audit: Omit<AuditEntry, 'action'>
}

/**
 * Runs a change and writes its row of the audit log, in one transaction that holds the mutation's locks. `fn` uses only `tx`
 * and may run again.
 */
export type MakeChange = <Answer>(fn: (tx: Tx) => Promise<Change<Answer>>) => Promise<Answer>

/** What the fields of a success are built with. */
export type PayloadFields<Payload extends object> = PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>

export interface MutationOptions<Checked extends z.ZodType, Success extends object> {
  description: string
  scope: 'public' | 'signedIn' | 'user' | 'admin'
  input?: InputObjectRef<Types, object>
  /** Checks the input; of a mutation without one, an empty object. */
  check: Checked
  success: ObjectRef<Types, Success>
  failures: readonly VerbFailureKind[]
  /** What the change reads before it writes: no other holder of one of these locks changes it in between. */
  locks: readonly LockName[]
  run: (input: z.output<Checked>, context: Context, change: MakeChange) => Promise<Success>
}

/** Adds a mutation whose expected failures are data: `union <Name>Result = <Name>Success | <failures>`. */
export function addMutation<Checked extends z.ZodType, Success extends object>(
  name: string,
  options: MutationOptions<Checked, Success>,
): void {
  const title = name[0]!.toUpperCase() + name.slice(1)
  const result = builder.unionType(`${title}Result`, {
    description: `What ${name} came to: its success, or why nothing was changed.`,
    types: [options.success, ...options.failures.map((kind) => failureTypes[kind])] as ObjectRef<Types, object>[],
    resolveType: (value: object) =>
      'refusedAs' in value ? failureTypes[(value as Refusal).refusedAs].name : options.success.name,
  })
  builder.mutationField(name, (t) =>
    t.field({
      type: result,
      description: options.description,
      authScopes: { [options.scope]: true },
      args: options.input ? { input: t.arg({ type: options.input, required: true }) } : {},
      async resolve(_parent, args: { input?: unknown }, context): Promise<object> {
        try {
          const checked = options.check.safeParse(args.input ?? {})
          if (!checked.success) throw inputFailure(...checked.error.issues.map(problemOf))
          return await options.run(checked.data, context, (fn) => makeChange(name, options.locks, context, fn))
        } catch (error) {
          if (error instanceof VerbFailure && options.failures.includes(error.kind)) return refusalOf(error)
          throw error
        }
      },
    }),
  )
}

function problemOf(issue: z.core.$ZodIssue): FieldProblem {
  const path = issue.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('')
  const { code, values } = readIssue(issue)
  return { path: path.replace(/^\./, ''), code, values }
}

function makeChange<Answer>(
  action: string,
  locks: readonly LockName[],
  { parts, actor }: Context,
  fn: (tx: Tx) => Promise<Change<Answer>>,
): Promise<Answer> {
  return parts.database.locked(locks, async (tx) => {
    const { answer, audit } = await fn(tx)
    const id = parts.newId()
    await recordChange(tx, { id: BigInt(id.key), atMs: id.atMs }, actor, { action, ...audit })
    return answer
  })
}

type NodeName = 'Group' | 'Account' | 'ApiKey' | 'ErrorRule'

/** The input of mutations that only name an object. */
export const addIdInput = (name: string, type: NodeName) =>
  builder.inputType(name, {
    description: 'Which object.',
    fields: (t) => ({ id: t.id({ required: true, description: `The global id of the ${type}.` }) }),
  })

/** The success of a mutation that deletes an object: its id, for caches. */
export const addDeletedSuccess = (name: string, type: NodeName) =>
  builder.objectRef<{ id: number }>(name).implement({
    description: 'The object is deleted.',
    authScopes: { public: true },
    fields: (t) => ({
      deletedId: t.id({
        description: `The global id that the ${type} had.`,
        resolve: ({ id }) => encodeGlobalID(type, id),
      }),
    }),
  })
