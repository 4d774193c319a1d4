import type { FormatFlags } from '../../accounts/format-flags.ts'
import type { Format, ResponseReader } from '../format.ts'
import { anthropicFormat } from '../formats/anthropic/anthropic.ts'
import { chatFormat } from '../formats/chat/chat.ts'
import { responsesFormat } from '../formats/responses/responses.ts'
import { eventsOf, jsonOf } from '../formats/sse-events.ts'
import { createChatStreamToMessages, type StreamTranslator } from './anthropic-clients/chat-stream-to-messages.ts'
import { messagesToChat } from './anthropic-clients/messages-to-chat.ts'
import { messagesToResponses } from './anthropic-clients/messages-to-responses.ts'
import { createResponsesStreamToMessages } from './anthropic-clients/responses-stream-to-messages.ts'
import { refuseForeignFields } from './foreign-fields.ts'
import { createMessagesChecker } from './messages/checked-messages.ts'
import { foldMessage } from './messages/fold-message.ts'
import { refuseMaxTokens } from './messages/messages-request.ts'
import { createToolNames, type ToolNames } from './messages/tool-names.ts'
import { unfoldMessage } from './messages/unfold-message.ts'
import { chatToMessages } from './openai-clients/chat-to-messages.ts'
import { createMessagesStreamToChat, messageToChat } from './openai-clients/messages-stream-to-chat.ts'
import { createMessagesStreamToResponses } from './openai-clients/messages-stream-to-responses.ts'
import { responsesToMessages } from './openai-clients/responses-to-messages.ts'
import { responsesTools } from './openai-clients/responses-tools.ts'
import { createTranslatedStreamReader, eventWriters, type Stage } from './translated-stream.ts'
import { type Fields, isFields, withFieldsNamed } from './untranslatable.ts'

type FormatName = Format['name']

/** What a translation has to know of the request and of the account that shall serve it. */
export interface TranslationTarget {
  accountId: number
  /** The name that the client asked for; its response repeats it. */
  modelRequested: string
  /** The name to ask the upstream for. */
  modelSent: string
  flags: FormatFlags
  /** An opaque name of the end user; null: none is sent. */
  user: string | null
  /** What a model writes at most where a client of another format does not say. */
  defaultMaxTokens: number
  /** Tokens of the prompt, roughly: Claude Code shows the size of the context from the first event. */
  promptTokens: number
  /** For ids of ours: letters and digits. */
  requestId: string
  nowMs: number
}

/** One request, translated, and a reader whose responses are in the client's format. */
export interface Translation extends Required<ResponseReader> {
  /** The body for the upstream, as JSON. */
  body: Buffer
}

const formats: Readonly<Record<FormatName, Format>> = {
  anthropic: anthropicFormat,
  chat: chatFormat,
  responses: responsesFormat,
}

/** How a request of each format becomes one of Anthropic's. */
const requestToMessages: Readonly<Record<FormatName, (body: Fields, target: TranslationTarget) => Translated>> = {
  anthropic(body) {
    refuseMaxTokens(body)
    return { body, toolNames: createToolNames() }
  },
  chat: (body, { modelSent, ...target }) => chatToMessages(body, { ...target, model: modelSent }),
  responses: (body, { modelSent, ...target }) => responsesToMessages(body, { ...target, model: modelSent }),
}

/** How one of Anthropic's becomes a request of each format. */
const messagesToRequest: Readonly<Record<FormatName, (body: Fields, target: TranslationTarget) => Translated>> = {
  anthropic: (body) => ({ body, toolNames: createToolNames() }),
  chat: (body, { modelSent, flags, user }) => messagesToChat(body, { model: modelSent, flags, user }),
  responses: (body, { modelSent, ...target }) => messagesToResponses(body, { ...target, model: modelSent }),
}

/** A client of Responses asks for reasoning that it can send back. */
const wantsReasoning = ({ include }: Fields): boolean =>
  Array.isArray(include) && include.includes('reasoning.encrypted_content')

interface Translated {
  body: Fields
  toolNames: ToolNames
}

/**
 * Translates a request of the client's format for an account of another one. All translations lead through Anthropic's
 * Messages, so that a new format needs one way in and one way out. Throws Untranslatable.
 */
export function translate(
  client: FormatName,
  upstream: FormatName,
  body: Fields,
  target: TranslationTarget,
): Translation {
  refuseForeignFields(client, body)
  const messages = requestToMessages[client](body, target)
  // Places within a request that was translated once say nothing to its client: the list that holds them does.
  const fieldOf = (field: string): string =>
    client === 'anthropic' ? field : field.startsWith('messages') ? formats[client].request.messages : field
  const sent = withFieldsNamed(fieldOf, () => messagesToRequest[upstream](messages.body, target))
  const showThinking = client !== 'anthropic' || (isFields(body['thinking']) && body['thinking']['type'] !== 'disabled')
  const writer = {
    messageId: `msg_${target.requestId}`,
    model: target.modelRequested,
    inputTokensEstimate: target.promptTokens,
    accountId: target.accountId,
    toolNames: sent.toolNames,
    showThinking,
  }

  function toMessages(): StreamTranslator {
    if (upstream === 'chat') return createChatStreamToMessages(writer)
    return upstream === 'responses' ? createResponsesStreamToMessages(writer) : createMessagesChecker()
  }

  const createdS = Math.floor(target.nowMs / 1000)
  const chatOptions = {
    id: `chatcmpl-${target.requestId}`,
    model: target.modelRequested,
    createdS,
    toolNames: messages.toolNames,
  }

  function fromMessages(): Stage | undefined {
    if (client === 'chat') {
      const { stream_options: options } = body
      const includeUsage = isFields(options) && options['include_usage'] === true
      return createMessagesStreamToChat({ ...chatOptions, includeUsage })
    }
    if (client === 'responses')
      return createMessagesStreamToResponses({
        ...chatOptions,
        id: `resp_${target.requestId}`,
        tools: responsesTools(body),
        signingAccountId: upstream === 'anthropic' && wantsReasoning(body) ? target.accountId : null,
      })
    return undefined
  }

  /** The upstream's whole response as an Anthropic message. Throws what it says of an error. */
  function messageOf(response: Fields): Fields {
    if (upstream === 'anthropic') return { ...response, model: target.modelRequested }
    const translator = toMessages()
    const whole = upstream === 'responses' ? { type: 'response.completed', response } : response
    return foldMessage([...translator.push(whole), ...translator.end()]) ?? {}
  }

  /** An Anthropic message as the client's whole response. */
  function responseOf(message: Fields): Fields {
    if (client === 'chat') return messageToChat(message, chatOptions)
    const stage = fromMessages()
    if (!stage) return message
    const last = unfoldMessage(message)
      .flatMap((event) => stage.push(event))
      .at(-1)
    return isFields(last?.['response']) ? last['response'] : {}
  }

  /** A whole response as the events of the client's stream. */
  function unfolded(response: Fields): string {
    const { write, endMark } = eventWriters[client]
    const events = unfoldMessage(messageOf(response))
    const stage = fromMessages()
    return (stage ? events.flatMap((event) => stage.push(event)) : events).map(write).join('') + endMark
  }

  const json = (fields: Fields): Buffer => Buffer.from(JSON.stringify(fields))

  return {
    body: json(sent.body),
    createStreamReader(secret) {
      const stages = { toMessages: toMessages(), fromMessages: fromMessages() }
      return createTranslatedStreamReader({
        meter: formats[upstream].createStreamReader(secret),
        ...stages,
        ...eventWriters[client],
      })
    },
    readJson(body, secret) {
      const read = formats[upstream].readJson(body, secret)
      const response = jsonOf(body.toString('utf8'))
      if (read.problem !== '' || !isFields(response)) return read
      try {
        return { ...read, body: json(responseOf(messageOf(response))) }
      } catch (error) {
        return { ...read, problem: (error as Error).message }
      }
    },
    unfoldJson: (body) => Buffer.from(unfolded(jsonOf(body.toString('utf8')) as Fields)),
    foldStream(stream) {
      try {
        const translator = toMessages()
        const events = eventsOf(stream).map(({ data }) => jsonOf(data))
        const message = foldMessage([...events.flatMap((event) => translator.push(event)), ...translator.end()])
        return message && json(responseOf({ ...message, model: target.modelRequested }))
      } catch {
        return null
      }
    },
  }
}
