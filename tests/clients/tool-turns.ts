import { chatAnswer, type OpenaiAnswer, openaiRefusal, responsesAnswer } from '../support/fake-openai.ts'
import { refusal, toolUse } from '../support/fake-scripts.ts'
import type { FakeUpstream, Recorded, Script } from '../support/fake-upstream.ts'

/** A call of a tool, as an upstream of Responses writes it. */
export type Call = Omit<NonNullable<OpenaiAnswer['tools']>[number], 'id'>

const limited = { 'retry-after': '3600' }
const openaiLimited = openaiRefusal(429, { message: 'Rate limit reached', code: 'rate_limit_exceeded' }, limited)

/** What accounts of each platform answer when they are limited, and the last words of an answer. */
export const platforms = {
  codex: { limited: openaiLimited, lastWords: 'It flies at noon.' },
  openai: { limited: openaiLimited, lastWords: 'It flies at noon.' },
  console: { limited: refusal(429, 'rate_limit_error', 'limited', limited), lastWords: 'word 2 你好 🙂' },
} satisfies Record<string, { limited: Script; lastWords: string }>
export type PlatformName = keyof typeof platforms

/** True for a request that carries what a tool has given. */
export const hasResult = ({ body }: Recorded): boolean =>
  /"tool_result"|"role":\s*"tool"|"(function|custom_tool)_call_output"/.test(String(body))

/** The upstream calls the tool first, and answers when its result is there. */
export function serveToolTurns(upstream: FakeUpstream, platform: PlatformName, call: Call): void {
  if (platform === 'console') {
    const { name, input } = plain(call)
    upstream.scriptWhen((request) => request.method === 'POST' && !hasResult(request), toolUse(name, input))
    return
  }
  upstream.scriptWhen(
    () => true,
    (exchange) => {
      const text = platforms[platform].lastWords
      if (hasResult(exchange.request)) return answerOf(platform)({ text })(exchange)
      return answerOf(platform)({
        text: '',
        tools: [{ id: 'call_1', ...(platform === 'codex' ? call : plain(call)) }],
      })(exchange)
    },
  )
}

export const answerOf = (platform: 'codex' | 'openai'): ((say: OpenaiAnswer) => Script) =>
  platform === 'codex' ? responsesAnswer : chatAnswer

/** The same call in a format without namespaces and free text: docs/platforms.md says how. */
function plain({ name, namespace, input }: Call): { name: string; input: object } {
  return {
    name: namespace === undefined ? name : `${namespace}__${name}`,
    input: typeof input === 'string' ? { input } : input,
  }
}
