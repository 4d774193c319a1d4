import { noTokens, type Tokens } from '../../server/money/reading.ts'
import {
  block,
  deltaUsage,
  encodeEvents,
  errorEvent,
  type GoldenStream,
  messageDelta,
  messageStart,
  messageStop,
  ping,
  type SseEvent,
  textBlock,
  toolBlock,
} from './sse-fixtures.ts'

const model = 'claude-sonnet-4-5-20250929'
const usual: Tokens = { ...noTokens, input: 25, output: 42, cacheWrite5m: 300, cacheWrite1h: 50, cacheRead: 4_000 }

interface Recipe {
  content: SseEvent[]
  tokens?: Tokens
  stopReason?: string
  /** Events after the content, instead of message_delta and message_stop. */
  ending?: SseEvent[]
  extras?: GoldenStream['extras']
  usage?: object
  delta?: object
  lineEnd?: '\n' | '\r\n'
}

function golden(name: string, recipe: Recipe): GoldenStream {
  const { content, stopReason = 'end_turn', extras = [], ending } = recipe
  const tokens = recipe.tokens ?? usual
  const last = ending ?? [messageDelta(stopReason, recipe.usage ?? deltaUsage(tokens), recipe.delta), messageStop]
  const events = [messageStart(model, tokens), ...content, ...last]
  const complete = ending === undefined
  return {
    name,
    events,
    bytes: encodeEvents(events, recipe.lineEnd),
    model,
    tokens: complete ? tokens : { ...tokens, output: 1, thinking: 0, webSearches: 0 },
    extras,
    stopReason: complete ? stopReason : '',
    complete,
  }
}

/** The kinds of stream that a relay meets, by name, with the usage that a meter must read. */
export function goldenStreams(): Record<GoldenName, GoldenStream> {
  const searched: Tokens = { ...usual, webSearches: 2 }
  const advisor: Tokens = { ...noTokens, input: 700, output: 90 }
  const iteration = (type: string, tokens: Tokens, more: object = {}) => ({ type, ...deltaUsage(tokens), ...more })
  return {
    text: golden('text', { content: [...textBlock(0, ['Hello', ', ', 'world']), ping] }),
    emoji: golden('emoji', { content: textBlock(0, ['👩‍👩‍👧‍👦 ', '你好，世界', ' 🇨🇳é\u2028']) }),
    crlf: golden('crlf', { content: textBlock(0, ['line', ' ends']), lineEnd: '\r\n' }),
    thinking: golden('thinking', {
      content: [
        ...block(0, { type: 'thinking', thinking: '', signature: '' }, [
          { type: 'thinking_delta', thinking: 'Let me see.' },
          { type: 'thinking_delta', thinking: ' Yes.' },
          { type: 'signature_delta', signature: 'RXFRQ0NrWUlBeEFDR0FJaVFBPT0=' },
        ]),
        ...textBlock(1, ['Yes.']),
      ],
      tokens: { ...usual, thinking: 30 },
    }),
    tools: golden('tools', {
      content: [
        ...textBlock(0, ['Two calls.']),
        ...toolBlock(1, 'Read', ['', '{"file_pa', 'th": "/tmp/a', '.txt"}']),
        ...toolBlock(2, 'Bash', ['{"command": "echo \\"model\\": \\"x\\""}']),
      ],
      stopReason: 'tool_use',
    }),
    serverTools: golden('serverTools', {
      content: [
        ...block(
          0,
          { type: 'server_tool_use', id: 'srvtoolu_golden', name: 'web_search', input: { query: 'relay' } },
          [],
        ),
        ...block(1, { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_golden', content: [] }, []),
        ...textBlock(2, ['Found.']),
      ],
      tokens: searched,
      usage: {
        ...deltaUsage(searched),
        iterations: [iteration('message', usual), iteration('advisor_message', advisor, { model: 'claude-opus-4-6' })],
      },
      extras: [{ model: 'claude-opus-4-6', tokens: advisor }],
    }),
    refusal: golden('refusal', { content: textBlock(0, ['I']), stopReason: 'refusal' }),
    errorAfterText: golden('errorAfterText', {
      content: textBlock(0, ['Half of']).slice(0, -1),
      ending: [errorEvent()],
    }),
  }
}

export type GoldenName = 'text' | 'emoji' | 'crlf' | 'thinking' | 'tools' | 'serverTools' | 'refusal' | 'errorAfterText'
