import type { ArgBuilder, InputFieldMap, ObjectRef, SchemaTypes } from '@pothos/core'
import type { z } from 'zod'
import { type AuditEntry, recordChange } from '../identity/audit.ts'
import type { LockName, Tx } from '../store/database.ts'
import { inputFailure, VerbFailure, type VerbFailureKind } from '../verb-failure.ts'
import { builder } from './builder.ts'
import { failureTypes, type Refusal, refusalOf } from './failures.ts'
import type { Context } from './server/context.ts'

type Types = typeof builder extends PothosSchemaTypes.SchemaBuilder<infer T extends SchemaTypes> ? T : never
type Arguments = (arg: ArgBuilder<Types>) => InputFieldMap

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

export interface MutationOptions<Checked extends z.ZodType, Success extends object> {
  description: string
  scope: 'public' | 'signedIn' | 'user' | 'admin'
  args?: Arguments
  /** Checks the arguments; `input` is left out of the paths of its problems. */
  check: Checked
  success: ObjectRef<Types, Success>
  failures: readonly VerbFailureKind[]
  /** What the change reads before it writes: no other holder of one of these locks changes it in between. */
  locks: readonly LockName[]
  run: (args: z.output<Checked>, context: Context, change: MakeChange) => Promise<Success>
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
      args: options.args ? options.args(t.arg) : {},
      async resolve(_parent, args: unknown, context): Promise<object> {
        try {
          const checked = options.check.safeParse(args)
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

function problemOf(issue: z.core.$ZodIssue): { path: string; message: string } {
  const parts = issue.path[0] === 'input' ? issue.path.slice(1) : issue.path
  const path = parts.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('')
  return { path: path.replace(/^\./, ''), message: issue.message }
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

/** The answer of mutations that give nothing back. */
export function addOkSuccess(name: string) {
  return builder.objectRef<{ ok: boolean }>(name).implement({
    description: 'It is done.',
    authScopes: { public: true },
    fields: (t) => ({ ok: t.exposeBoolean('ok', { description: 'Always true: what fails is another type.' }) }),
  })
}
