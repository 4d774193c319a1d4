import type { Fault } from '../../accounts/state/state.ts'
import type { Evidence } from '../../accounts/state/transitions.ts'
import {
  type FailureCause as Cause,
  causeOfCode,
  failureCauses,
  meaningOf,
} from '../../upstreams/transport/failure-cause.ts'
import { builder } from '../builder.ts'

const FailureCauseCode = builder.enumType('FailureCauseCode', {
  description: 'Why no usable response came from an upstream. Names never change; PROXY_ in front: the proxy itself.',
  values: Object.fromEntries(
    failureCauses.map((cause) => [
      cause.toUpperCase(),
      { value: cause, description: `The cause is: ${meaningOf(cause)}.` },
    ]),
  ) as Record<Uppercase<Cause>, { value: Cause; description: string }>,
})

/** Why no usable response came; clients have their own text for each code. */
export const FailureCause = builder.objectRef<Fault>('FailureCause').implement({
  description:
    'Why no usable response came from an upstream; `reason` or `message` beside it says the same in English.',
  authScopes: { user: true },
  fields: (t) => ({
    code: t.field({
      type: FailureCauseCode,
      description: 'The cause, by a name that never changes.',
      resolve: ({ cause }) => cause as Cause,
    }),
    place: t.string({
      nullable: true,
      description:
        'It is host:port, or `proxy → host:port` behind a proxy, with how long the relay waited; null where it is not kept.',
      resolve: ({ place }) => place || null,
    }),
  }),
})

const known: ReadonlySet<string> = new Set(failureCauses)

/** From a step's evidence; null when the upstream itself sent an error. */
export function faultOfEvidence(evidence: Evidence | null): Fault | null {
  return evidence && faultNamed(evidence.code, evidence.message)
}

/** null when there is no such cause. */
export function faultNamed(cause: string, place: string): Fault | null {
  return known.has(cause) ? { cause, place } : null
}

/** From an attempt's row, which has only the error's name. */
export function faultOfCode(errorType: string): Fault | null {
  const cause = causeOfCode(errorType)
  return cause && { cause, place: '' }
}
