import type { Format, JsonResponse, StreamReader } from '../format.ts'
import { anthropicFormat } from '../formats/anthropic/anthropic.ts'
import { chatFormat } from '../formats/chat/chat.ts'
import { responsesFormat } from '../formats/responses/responses.ts'
import { jsonOf } from '../formats/sse-events.ts'
import type { ChatFlags } from './chat-flags.ts'
import { createChatStreamToMessages, type StreamTranslator } from './chat-stream-to-messages.ts'
import { chatToMessages } from './chat-to-messages.ts'
import { foldMessage } from './fold-message.ts'
import { createMessagesStreamToChat, messageToChat } from './messages-stream-to-chat.ts'
import { createMessagesStreamToResponses } from './messages-stream-to-responses.ts'
import { messagesToChat } from './messages-to-chat.ts'
import { messagesToResponses } from './messages-to-responses.ts'
import { createResponsesStreamToMessages } from './responses-stream-to-messages.ts'
import { customTools, responsesToMessages } from './responses-to-messages.ts'
import { createToolNames, type ToolNames } from './tool-names.ts'
import { createTranslatedStreamReader, eventWriters, type Stage } from './translated-stream.ts'
import { unfoldMessage } from './unfold-message.ts'
import { type Fields, isFields } from './untranslatable.ts'

type FormatName = Format['name']

/** What a translation has to know of the request and of the account that shall serve it. */
export interface TranslationTarget {
  /** The name that the client asked for; its response repeats it. */
  modelRequested: string
  /** The name to ask the upstream for. */
  modelSent: string
  flags: ChatFlags
  /** An opaque name of the end user; null: none is sent. */
  user: string | null
  /** What a model writes at most where a client of another format does not say. */
  defaultMaxTokens: number
  /** For ids of ours: letters and digits. */
  requestId: string
  nowMs: number
}

/** One request, translated. */
export interface Translation {
  /** The body for the upstream, as JSON. */
  body: Buffer
  createStreamReader(secret: string): StreamReader
  /** A whole JSON response with status 200: what it says, and the same for the client. */
  readJson(body: Buffer, secret: string): JsonResponse & { body: Buffer }
}

const formats: Readonly<Record<FormatName, Format>> = {
  anthropic: anthropicFormat,
  chat: chatFormat,
  responses: responsesFormat,
}

/** How a request of each format becomes one of Anthropic's. */
const requestToMessages: Readonly<Record<FormatName, (body: Fields, target: TranslationTarget) => Translated>> = {
  anthropic: (body) => ({ body, toolNames: createToolNames() }),
  chat: (body, { modelSent, ...target }) => chatToMessages(body, { ...target, model: modelSent }),
  responses: (body, { modelSent, ...target }) => responsesToMessages(body, { ...target, model: modelSent }),
}

/** How one of Anthropic's becomes a request of each format. */
const messagesToRequest: Readonly<Record<FormatName, (body: Fields, target: TranslationTarget) => Translated>> = {
  anthropic: (body) => ({ body, toolNames: createToolNames() }),
  chat: (body, { modelSent, flags, user }) => messagesToChat(body, { model: modelSent, flags, user }),
  responses: (body, { modelSent, flags, user }) =>
    messagesToResponses(body, { model: modelSent, efforts: flags.efforts, user }),
}

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
  const messages = requestToMessages[client](body, target)
  const sent = messagesToRequest[upstream](messages.body, target)
  const showThinking = client !== 'anthropic' || (isFields(body['thinking']) && body['thinking']['type'] !== 'disabled')
  const writer = {
    messageId: `msg_${target.requestId}`,
    model: target.modelRequested,
    inputTokensEstimate: 0,
    toolNames: sent.toolNames,
    showThinking,
  }

  function toMessages(): StreamTranslator | undefined {
    if (upstream === 'chat') return createChatStreamToMessages(writer)
    return upstream === 'responses' ? createResponsesStreamToMessages(writer) : undefined
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
        customTools: customTools(body),
      })
    return undefined
  }

  /** The upstream's whole response as an Anthropic message. Throws what it says of an error. */
  function messageOf(response: Fields): Fields {
    const translator = toMessages()
    if (!translator) return { ...response, model: target.modelRequested }
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

  return {
    body: Buffer.from(JSON.stringify(sent.body)),
    createStreamReader(secret) {
      const stages = { toMessages: toMessages(), fromMessages: fromMessages() }
      return createTranslatedStreamReader({
        meter: formats[upstream].createStreamReader(secret),
        ...stages,
        ...eventWriters[client],
      })
    },
    readJson(responseBody, secret) {
      const read = formats[upstream].readJson(responseBody, secret)
      const response = jsonOf(responseBody.toString('utf8'))
      if (read.problem !== '' || !isFields(response)) return { ...read, body: responseBody }
      try {
        return { ...read, body: Buffer.from(JSON.stringify(responseOf(messageOf(response)))) }
      } catch (error) {
        return { ...read, problem: (error as Error).message, body: responseBody }
      }
    },
  }
}
