import type { Fault } from '../../accounts/state/state.ts'
import type { Evidence } from '../../accounts/state/transitions.ts'
import { causeOfCode, failureCauses } from '../../upstreams/transport/failure-cause.ts'
import { builder } from '../builder.ts'

/** Why no usable response came; clients have their own text for each code. */
export const FailureCause = builder.objectRef<Fault>('FailureCause').implement({
  description: 'Why no usable answer came from an upstream; `reason` says the same in English.',
  authScopes: { user: true },
  fields: (t) => ({
    code: t.string({
      description:
        'Stable: connection_refused, name_unresolved, certificate_wrong_name, no_answer, …; with proxy_ before it, of the proxy.',
      resolve: ({ cause }) => cause,
    }),
    place: t.exposeString('place', {
      description:
        'host:port, behind a proxy `proxy → host:port`, with how long was waited; empty where it is not kept.',
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
