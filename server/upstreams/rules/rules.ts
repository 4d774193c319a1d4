import type { Platform } from '../../accounts/account.ts'
import type { ErrorRule as Stored } from '../../generated/sqlite/client.ts'
import type { Database, Tx } from '../../store/database.ts'
import { conflict, inputFailure, notFound } from '../../verb-failure.ts'
import type { ClassificationRow } from '../classification.ts'
import type { Platforms } from '../platform.ts'
import { type ErrorRule, type RuleDraft, type RuleEffect, type RuleScope, rowOfRule } from './rule.ts'
import { ruleProblems } from './rule-checks.ts'

/** Each of them is tried on every error. */
const maxRules = 100

/** A rule as a provisioning file has it: what is absent stays, or is as in a new one. */
export type NamedRule = Pick<RuleDraft, 'name'> & Partial<RuleDraft>

const newRule: Omit<RuleDraft, 'name' | 'effect'> = {
  platform: null,
  enabled: true,
  status: '',
  errorType: '',
  code: '',
  message: '',
  scope: 'account',
  durationSeconds: null,
}

/**
 * Rules of administrators in memory, and the verbs that change them. Verbs run in the caller's transaction. The platforms'
 * own rows come after the rules.
 */
export function createErrorRules(parts: { database: Database; platforms: Platforms }) {
  const { database, platforms } = parts
  let stored: readonly Stored[] = []
  let rules: readonly ErrorRule[] = []
  let rows = rowsWith([])

  /** The rows of each platform in their order: the rules that are enabled and of the platform, then the built-in table. */
  function rowsWith(list: readonly RuleDraft[]): Record<Platform, readonly ClassificationRow[]> {
    const of = (platform: Platform): readonly ClassificationRow[] => [
      ...list.filter((rule) => rule.enabled && (rule.platform ?? platform) === platform).map(rowOfRule),
      ...(platforms[platform]?.errorRows ?? []),
    ]
    const names = Object.keys(platforms) as Platform[]
    return Object.fromEntries(names.map((name) => [name, of(name)])) as Record<Platform, readonly ClassificationRow[]>
  }

  async function readRules(client: Pick<Tx, 'errorRule'>): Promise<ErrorRule[]> {
    return (await client.errorRule.findMany({ orderBy: [{ position: 'asc' }, { id: 'asc' }] })).map(ruleOf)
  }

  async function create(tx: Tx, draft: RuleDraft): Promise<number> {
    await refuseTakenName(tx, draft.name)
    refuseProblems(draft)
    const last = await tx.errorRule.aggregate({ _max: { position: true }, _count: true })
    if (last._count >= maxRules) throw conflict('TOO_MANY_RULES', { max: maxRules })
    const position = (last._max.position ?? 0) + 1
    return (await tx.errorRule.create({ data: { ...columnsOf(draft), position } })).id
  }

  async function update(tx: Tx, id: number, draft: Partial<RuleDraft>): Promise<ErrorRule> {
    const before = await existing(tx, id)
    if (draft.name !== undefined && draft.name !== before.name) await refuseTakenName(tx, draft.name)
    const after = { ...before, ...draft }
    refuseProblems(after)
    await tx.errorRule.update({ where: { id }, data: columnsOf(after) })
    return before
  }

  /** Puts these into this order, at the positions they have together. */
  async function putInOrder(tx: Tx, ids: readonly number[]): Promise<void> {
    const stored = await tx.errorRule.findMany({ where: { id: { in: [...ids] } }, orderBy: { position: 'asc' } })
    for (const [index, id] of ids.entries()) {
      const { position } = stored[index]!
      if (stored.find((rule) => rule.id === id)?.position === position) continue
      await tx.errorRule.update({ where: { id }, data: { position } })
    }
  }

  return {
    /** Reads a rule, or without an id all rules. */
    async load(id?: number): Promise<void> {
      const read = await database.client.errorRule.findMany({ where: { id } })
      const others = id === undefined ? [] : stored.filter((rule) => rule.id !== id)
      stored = [...others, ...read].sort((one, other) => one.position - other.position || one.id - other.id)
      rules = stored.map(ruleOf)
      rows = rowsWith(rules)
    },

    /** In their order. */
    all: () => rules,
    rowsOf: (platform: Platform): readonly ClassificationRow[] => rows[platform],
    rowsWith,
    builtInRowsOf: (platform: Platform): readonly ClassificationRow[] => platforms[platform]?.errorRows ?? [],

    /** Adds a rule behind the others. Throws input failures, or a conflict when there are too many. */
    create,

    /** Changes the fields given; returns what was there. Throws not found, or input failures. */
    update,

    async remove(tx: Tx, id: number): Promise<ErrorRule> {
      const rule = await existing(tx, id)
      await tx.errorRule.delete({ where: { id } })
      return rule
    },

    /** Puts all rules into this order. Throws a conflict when these are not the rules there are. */
    async order(tx: Tx, ids: readonly number[]): Promise<string[]> {
      const known = new Map((await readRules(tx)).map(({ id, name }) => [id, name]))
      if (new Set(ids).size !== ids.length || ids.length !== known.size || ids.some((id) => !known.has(id))) {
        throw conflict('RULES_CHANGED')
      }
      await putInOrder(tx, ids)
      return ids.map((id) => known.get(id)!)
    },

    /** Creates a rule or changes the fields given; matched by name. */
    async save(tx: Tx, draft: NamedRule): Promise<number> {
      const found = await tx.errorRule.findUnique({ where: { name: draft.name } })
      if (found) {
        await update(tx, found.id, draft)
        return found.id
      }
      const { effect } = draft
      if (effect === undefined) throw inputFailure({ path: 'effect', code: 'MISSING' })
      return create(tx, { ...newRule, ...draft, effect })
    },
    putInOrder,
  }
}

export type ErrorRules = ReturnType<typeof createErrorRules>

function refuseProblems(draft: RuleDraft): void {
  const problems = ruleProblems(draft)
  if (problems.length > 0) throw inputFailure(...problems)
}

async function existing(tx: Tx, id: number): Promise<ErrorRule> {
  const found = await tx.errorRule.findUnique({ where: { id } })
  if (!found) throw notFound('rule')
  return ruleOf(found)
}

async function refuseTakenName(tx: Tx, name: string): Promise<void> {
  if (await tx.errorRule.findUnique({ where: { name } })) throw inputFailure({ path: 'name', code: 'TAKEN' })
}

function ruleOf(row: Stored): ErrorRule {
  const { id, name, enabled, status, errorType, code, message, durationSeconds } = row
  return {
    id,
    name,
    platform: row.platform === '' ? null : (row.platform as Platform),
    enabled,
    status,
    errorType,
    code,
    message,
    effect: row.effect as RuleEffect,
    scope: row.scope as RuleScope,
    durationSeconds,
  }
}

function columnsOf(rule: RuleDraft) {
  const { name, platform, enabled, status, errorType, code, message, effect, scope, durationSeconds } = rule
  return { name, platform: platform ?? '', enabled, status, errorType, code, message, effect, scope, durationSeconds }
}
