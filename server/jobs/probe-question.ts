import type { Account } from '../accounts/account.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { Renewals } from '../accounts/login/oauth-renewal.ts'
import type { Prices } from '../prices/open-prices.ts'
import type { Database } from '../store/database.ts'
import type { Platforms, ProbeRequest } from '../upstreams/platform.ts'
import { withOwnHeaders } from '../upstreams/probe.ts'
import { cheapestModel } from './probe-plan.ts'
import { type RunWords, said, saidAs } from './run-words.ts'

/** What is probed: an account, or a model or family that cools down there; `pattern` '' stands for the account itself. */
export interface Target {
  account: Account
  pattern: string
}

interface Question {
  /** '' where it is not a message. */
  model: string
  request: ProbeRequest
}

export interface QuestionParts {
  accounts: Pick<Accounts, 'byId'>
  prices: Pick<Prices, 'book'>
  database: Database
  platforms: Platforms
  renew: Renewals['renew']
  now: () => number
}

/** How many of an account's last answers tell which models it serves. */
const lastServed = 200

/** What a probe asks, ready to be sent by whoever has the network. */
export function createQuestions(parts: QuestionParts) {
  const { accounts, now } = parts

  /** A page about the account says nothing of a single model: such a cooldown ends by the clock. */
  const canAsk = ({ platform }: Account, pattern: string): boolean =>
    pattern === '' || !parts.platforms[platform]?.probe

  /** Made of a login that has not ended: where it has, a fresh access token comes first. */
  async function questionFor({ account, pattern }: Target): Promise<Target & (Question | { words: RunWords })> {
    const platform = parts.platforms[account.platform]
    const refused = (words: RunWords) => ({ account, pattern, words })
    if (!platform || !canAsk(account, pattern)) return refused(said('not_asked_there'))
    if (now() >= account.staleAtMs) {
      const renewal = await parts.renew(account, account.secret)
      if (renewal.kind !== 'renewed') return refused(saidAs(renewal.reason))
    }
    const fresh = accounts.byId(account.id) ?? account
    if (platform.probe)
      return { account: fresh, pattern, model: '', request: withOwnHeaders(fresh, platform.probe(fresh)) }
    const rows = await parts.database.select(
      "SELECT `model_requested` FROM `logs` WHERE `account_id` = ? AND `outcome` = 'completed' " +
        `ORDER BY \`id\` DESC LIMIT ${lastServed}`,
      [account.id],
    )
    const served = new Set(rows.map(([model]) => String(model)))
    const model = cheapestModel(fresh, [...served], parts.prices.book(), now(), pattern)
    if (model === null) return refused(said(pattern === '' ? 'no_model' : 'not_asked_there'))
    return { account: fresh, pattern, model, request: withOwnHeaders(fresh, platform.messageProbe(fresh, model)) }
  }

  return { canAsk, questionFor }
}
