import { type Fields, isFields, itemsOf, textOf, Untranslatable } from '../untranslatable.ts'

/** A tool of a Responses client: the name of its calls, and the namespace that it is in; '' is none. */
export interface ResponsesTool {
  name: string
  namespace: string
  /** Takes free text instead of JSON. */
  isFreeText: boolean
}

/** The name under which other formats get a tool: they know no namespaces. */
export const flatName = (namespace: string, name: string): string =>
  namespace === '' || namespace.endsWith('__') ? namespace + name : `${namespace}__${name}`

/** All tools that a request lists, with the places where they stand: newer Codex adds them in the middle of the conversation. */
function listedTools(body: Fields): [tool: Fields, field: string][] {
  const listed = (tools: unknown, field: string) =>
    itemsOf(tools).map((tool, index): [Fields, string] => [tool, `${field}[${index}]`])
  const added = itemsOf(body['input']).flatMap((item, index) =>
    item['type'] === 'additional_tools' ? listed(item['tools'], `input[${index}].tools`) : [],
  )
  return [...listed(body['tools'], 'tools'), ...added]
}

/** The tools of a request by the names that other formats get. */
export function responsesTools(body: Fields): ReadonlyMap<string, ResponsesTool> {
  const tools = new Map<string, ResponsesTool>()
  const add = (tool: Fields, namespace: string): void => {
    const name = textOf(tool['name'])
    if (tool['type'] === 'namespace') for (const inner of itemsOf(tool['tools'])) add(inner, name)
    else tools.set(flatName(namespace, name), { name, namespace, isFreeText: tool['type'] === 'custom' })
  }
  for (const [tool] of listedTools(body)) add(tool, '')
  return tools
}

/**
 * Tools of a Responses request as those of Chat Completions. Tools of a namespace become functions of their own, and a tool that
 * takes free text a function with one text. The web search of the upstream is left out beside other tools: a model that is not
 * told of it does without. Throws Untranslatable for other tools that an upstream would have to run.
 */
export function chatTools(body: Fields): Fields[] {
  const listed = listedTools(body)
  const isLeftOut = ([tool]: [Fields, string]): boolean => textOf(tool['type']).startsWith('web_search')
  const others = listed.filter((one) => !isLeftOut(one))
  return (others.length > 0 ? others : listed).flatMap(([tool, field]) => chatTool(tool, '', '', field))
}

function chatTool(tool: Fields, namespace: string, introduction: string, field: string): Fields[] {
  const { type } = tool
  const name = flatName(namespace, textOf(tool['name']))
  const description = introduction + textOf(tool['description'])
  if (type === 'function') return [{ type, function: { name, description, parameters: tool['parameters'] } }]
  if (type === 'custom')
    return [{ type: 'function', function: { name, description, parameters: freeText(tool['format']) } }]
  if (type === 'namespace' && namespace === '') {
    const about = textOf(tool['description'])
    // The namespace's own description stands once, before that of its first tool.
    return itemsOf(tool['tools']).flatMap((inner, index) =>
      chatTool(inner, name, index === 0 && about.trim() !== '' ? `${about}\n\n` : '', `${field}.tools[${index}]`),
    )
  }
  throw new Untranslatable(`${field}.type`, `${JSON.stringify(type)} cannot be sent to this upstream`)
}

/** The one text of a tool that takes free text, with the grammar that it has to follow. */
function freeText(format: unknown): Fields {
  const { syntax, definition } = isFields(format) ? format : {}
  const description =
    textOf(definition) === ''
      ? {}
      : { description: `It follows this grammar (${textOf(syntax)}):\n${textOf(definition)}` }
  return { type: 'object', properties: { input: { type: 'string', ...description } }, required: ['input'] }
}

/** Throws Untranslatable for a choice of a tool that is left out, or of several. */
export function chatToolChoice(choice: unknown): unknown {
  if (!isFields(choice)) return choice
  if (choice['type'] === 'function' || choice['type'] === 'custom') {
    if (textOf(choice['name']) === '') throw new Untranslatable('tool_choice.name', 'field required')
    return { type: 'function', function: { name: flatName(textOf(choice['namespace']), textOf(choice['name'])) } }
  }
  throw new Untranslatable('tool_choice.type', `${JSON.stringify(choice['type'])} cannot be sent to this upstream`)
}
