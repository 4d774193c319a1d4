import type { Platform } from '../../accounts/account.ts'
import { createPattern } from '../../model-patterns.ts'
import type { ClassificationRow, Consequence } from '../classification.ts'

export type RuleEffect = 'pass' | 'next' | 'rate_limited' | 'cooling_down' | 'reauth_required' | 'out_of_credit'
export type RuleScope = 'account' | 'model' | 'family'

/** What a rule says; '' in its upper half matches anything. */
export interface RuleDraft {
  name: string
  /** null: all of them. */
  platform: Platform | null
  enabled: boolean
  /** `400`, `500-599`, or `event`: an error event in a stream. */
  status: string
  /** Pattern with `*`, of the type as attempts and timelines show it. */
  errorType: string
  /** Pattern with `*`. */
  code: string
  /** Pattern with `*` that the whole text of the error has to fit; of a response without a message the whole body. */
  message: string
  effect: RuleEffect
  /** With `rate_limited`: what is limited. */
  scope: RuleScope
  /** With `rate_limited` and `out_of_credit`: for how long; null: as the response says, else as long as the state itself takes. */
  durationSeconds: number | null
}

/** A rule of an administrator: what an error means, whatever the built-in table says. */
export interface ErrorRule extends RuleDraft {
  id: number
}

/** A rule as a row of the table. Patterns have `*` and no more, so that matching takes linear time. */
export function rowOfRule(rule: RuleDraft): ClassificationRow {
  const { name, status, errorType, code, message } = rule
  return {
    name,
    isRule: true,
    ...(status !== '' && { status: statusOf(status) }),
    ...(errorType !== '' && { type: createPattern(errorType) }),
    ...(code !== '' && { code: createPattern(code) }),
    ...(message !== '' && { text: createPattern(message) }),
    means: consequenceOf(rule),
  }
}

/** Of the text of a rule's status. */
export function statusOf(text: string): NonNullable<ClassificationRow['status']> {
  if (text === 'event') return 'event'
  const [from, to] = text.split('-').map(Number)
  return to === undefined ? from! : [from!, to]
}

function consequenceOf({ effect, scope, durationSeconds }: RuleDraft): Consequence {
  const until = durationSeconds === null ? 'response' : durationSeconds * 1000
  switch (effect) {
    case 'pass':
      return { kind: 'caller' }
    case 'next':
      return { kind: 'refused' }
    case 'rate_limited':
      return { kind: 'limited', state: 'rate_limited', scope, until }
    case 'cooling_down':
      return { kind: 'failing', state: 'cooling_down', scope: 'account' }
    case 'reauth_required':
      return { kind: 'refused', state: 'reauth_required', scope: 'account', misconfigured: true }
    case 'out_of_credit':
      return { kind: 'refused', state: 'out_of_credit', scope: 'account', misconfigured: true, until }
  }
}

/** What a row means, in the words of rules. */
export interface Meaning {
  /** Of the rule or of the built-in row. */
  name: string
  isRule: boolean
  effect: RuleEffect
  scope: RuleScope
  /** null: as the response says, or as long as the state itself takes. */
  durationSeconds: number | null
}

export function meaningOf({ name, isRule, means }: ClassificationRow): Meaning {
  const { kind, state, scope, until } = means
  return {
    name,
    isRule: isRule === true,
    effect:
      state === undefined ? (kind === 'caller' ? 'pass' : 'next') : state === 'forbidden' ? 'rate_limited' : state,
    scope: scope ?? 'account',
    durationSeconds: typeof until === 'number' ? until / 1000 : null,
  }
}

/** True when the rule changes the state of the account or of one of its models. */
export const touchesAccount = ({ effect }: { effect: RuleEffect }): boolean => effect !== 'pass' && effect !== 'next'
