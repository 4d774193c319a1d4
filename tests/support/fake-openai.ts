// What an upstream of OpenAI's formats answers: scripts for the fake upstream.
import type { Script } from './fake-upstream.ts'

export interface OpenaiAnswer {
  text?: string
  reasoning?: string
  /** A text as input is a call of a tool that takes free text; Responses only. */
  tools?: { id: string; name: string; input: object | string; namespace?: string }[]
  model?: string
}

/** Fifty tokens of prompt, twenty of them read from the cache; nine of output. */
const chatUsage = {
  prompt_tokens: 50,
  completion_tokens: 9,
  total_tokens: 59,
  prompt_tokens_details: { cached_tokens: 20 },
}

/** Chat Completions as asked for: a stream or one JSON response, usage in a stream only where it was asked for. */
export const chatAnswer =
  ({ text = 'Hello there', reasoning, tools = [], model = 'served-model' }: OpenaiAnswer = {}): Script =>
  async (exchange) => {
    const { json } = exchange
    const finish = tools.length > 0 ? 'tool_calls' : 'stop'
    const calls = tools.map(({ id, name, input }, index) => ({
      index,
      id,
      type: 'function',
      function: { name, arguments: JSON.stringify(input) },
    }))
    if (json['stream'] !== true) {
      const message = {
        role: 'assistant',
        content: text,
        ...(reasoning && { reasoning_content: reasoning }),
        ...(calls.length > 0 && { tool_calls: calls }),
      }
      const choices = [{ index: 0, message, finish_reason: finish }]
      return exchange.respond(
        200,
        {},
        { id: 'chatcmpl-up', object: 'chat.completion', model, choices, usage: chatUsage },
      )
    }
    const wantsUsage = (json['stream_options'] as { include_usage?: boolean } | undefined)?.include_usage === true
    const chunk = (choices: object[], more: object = {}) =>
      `data: ${JSON.stringify({ id: 'chatcmpl-up', object: 'chat.completion.chunk', created: 1, model, choices, ...more })}\n\n`
    const delta = (fields: object) => chunk([{ index: 0, delta: fields, finish_reason: null }])
    await exchange.begin()
    await exchange.write(delta({ role: 'assistant', content: '' }))
    if (reasoning) await exchange.write(delta({ reasoning_content: reasoning }))
    for (const word of text.split(/(?<= )/)) if (word !== '') await exchange.write(delta({ content: word }))
    for (const call of calls) {
      const whole = call.function.arguments
      const half = Math.floor(whole.length / 2)
      await exchange.write(delta({ tool_calls: [{ ...call, function: { name: call.function.name, arguments: '' } }] }))
      for (const part of [whole.slice(0, half), whole.slice(half)])
        await exchange.write(delta({ tool_calls: [{ index: call.index, function: { arguments: part } }] }))
    }
    await exchange.write(chunk([{ index: 0, delta: {}, finish_reason: finish }]))
    if (wantsUsage) await exchange.write(chunk([], { usage: chatUsage }))
    await exchange.write('data: [DONE]\n\n')
    await exchange.end()
  }

/** The same of Responses. */
export const responsesAnswer =
  ({ text = 'Hello there', reasoning, tools = [], model = 'served-model' }: OpenaiAnswer = {}): Script =>
  async (exchange) => {
    const usage = {
      input_tokens: 50,
      input_tokens_details: { cached_tokens: 20 },
      output_tokens: 9,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 59,
    }
    const output: Record<string, unknown>[] = []
    if (reasoning)
      output.push({
        id: 'rs_1',
        type: 'reasoning',
        summary: [{ type: 'summary_text', text: reasoning }],
        encrypted_content: 'SEALED',
      })
    if (text !== '')
      output.push({
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text, annotations: [] }],
      })
    for (const { id, name, input, namespace } of tools) {
      const call = { call_id: id, name, ...(namespace !== undefined && { namespace }), status: 'completed' }
      output.push(
        typeof input === 'string'
          ? { id: `ctc_${id}`, type: 'custom_tool_call', ...call, input }
          : { id: `fc_${id}`, type: 'function_call', ...call, arguments: JSON.stringify(input) },
      )
    }
    const response = (status: string, more: object = {}) => ({
      id: 'resp_up',
      object: 'response',
      created_at: 1,
      status,
      model,
      output: [],
      error: null,
      incomplete_details: null,
      parallel_tool_calls: true,
      ...more,
    })
    const whole = response('completed', { output, usage })
    if (exchange.json['stream'] !== true) return exchange.respond(200, {}, whole)
    let sequence = 0
    const event = (type: string, fields: object) =>
      exchange.write(`event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...fields })}\n\n`)
    await exchange.begin()
    await event('response.created', { response: response('in_progress') })
    for (const [index, item] of output.entries()) {
      const at = { output_index: index, item_id: item['id'] }
      await event('response.output_item.added', { output_index: index, item: { ...item, content: [], arguments: '' } })
      if (item['type'] === 'message') {
        const part = { type: 'output_text', text: '', annotations: [] }
        await event('response.content_part.added', { ...at, content_index: 0, part })
        for (const word of text.split(/(?<= )/))
          await event('response.output_text.delta', { ...at, content_index: 0, delta: word })
        await event('response.output_text.done', { ...at, content_index: 0, text })
        await event('response.content_part.done', { ...at, content_index: 0, part: { ...part, text } })
      } else if (item['type'] === 'function_call') {
        await event('response.function_call_arguments.delta', { ...at, delta: item['arguments'] })
        await event('response.function_call_arguments.done', { ...at, arguments: item['arguments'] })
      } else if (item['type'] === 'custom_tool_call') {
        await event('response.custom_tool_call_input.delta', { ...at, delta: item['input'] })
        await event('response.custom_tool_call_input.done', { ...at, input: item['input'] })
      } else {
        await event('response.reasoning_summary_part.added', { ...at, summary_index: 0 })
        await event('response.reasoning_summary_text.delta', { ...at, summary_index: 0, delta: reasoning })
      }
      await event('response.output_item.done', { output_index: index, item })
    }
    await event('response.completed', { response: whole })
    await exchange.end()
  }

/** An error in OpenAI's shape. */
export const openaiRefusal =
  (status: number, error: { message: string; type?: string; code?: string; param?: string }, headers = {}): Script =>
  (exchange) =>
    exchange.respond(status, headers, {
      error: { type: 'invalid_request_error', code: null, param: null, ...error },
    })
