import { type Fields, isFields, itemsOf, textOf, Untranslatable } from '../untranslatable.ts'

/** Parts of an Anthropic message, as translators into other formats need them. */
export type Part =
  | { kind: 'text'; text: string }
  | { kind: 'image'; url: string }
  | { kind: 'pdf'; data: string; name: string }

/** Claude Code's first system block tells Anthropic which program asks. Only Anthropic removes it before the model reads it. */
const attribution = 'x-anthropic-billing-header:'

/** The texts of `system`, without the attribution block. */
export function systemTexts(system: unknown): string[] {
  const texts = typeof system === 'string' ? [system] : itemsOf(system).map(({ text }) => textOf(text))
  return texts.filter((text) => text.trim() !== '' && !text.trimStart().startsWith(attribution))
}

/** The blocks of a message's content; a plain string is one text block. */
export function blocksOf(content: unknown): Fields[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : itemsOf(content)
}

/** Text, images and documents of one block; throws Untranslatable for a block that other formats cannot carry. */
export function partsOf(block: Fields, field: string): Part[] {
  switch (block['type']) {
    case 'text':
      return textPart(block['text'])
    case 'image':
      return [{ kind: 'image', url: imageUrl(block['source'], `${field}.source`) }]
    case 'document':
      return documentParts(block, `${field}.source`)
    case 'search_result': {
      const texts = itemsOf(block['content']).map(({ text }) => textOf(text))
      return textPart([textOf(block['title']), textOf(block['source']), ...texts].filter(Boolean).join('\n'))
    }
    case 'tool_reference':
      return textPart(textOf(block['tool_name']))
    default:
      throw new Untranslatable(
        `${field}.type`,
        `${JSON.stringify(block['type'] ?? null)} cannot be sent to this upstream`,
      )
  }
}

function textPart(text: unknown): Part[] {
  return typeof text === 'string' && text.trim() !== '' ? [{ kind: 'text', text }] : []
}

function imageUrl(source: unknown, field: string): string {
  if (!isFields(source)) throw new Untranslatable(field, 'field required')
  if (source['type'] === 'base64') return `data:${textOf(source['media_type'])};base64,${textOf(source['data'])}`
  if (source['type'] === 'url') return textOf(source['url'])
  throw new Untranslatable(field, 'only base64 and url can be sent to this upstream')
}

function documentParts(block: Fields, field: string): Part[] {
  const { source } = block
  const title = textOf(block['title'])
  if (!isFields(source)) throw new Untranslatable(field, 'field required')
  if (source['type'] === 'text')
    return textPart(title === '' ? source['data'] : `${title}\n\n${textOf(source['data'])}`)
  if (source['type'] === 'content')
    return blocksOf(source['content']).flatMap((inner, index) => partsOf(inner, `${field}.content[${index}]`))
  if (source['type'] === 'base64') return [{ kind: 'pdf', data: textOf(source['data']), name: title || 'document.pdf' }]
  throw new Untranslatable(field, 'only text, content and base64 can be sent to this upstream')
}

/** A tool's result: its text, and the images that a text-only field has no place for. */
export function toolResultOf(block: Fields, field: string): { text: string; images: string[]; pdfs: Part[] } {
  const parts = blocksOf(block['content']).flatMap((inner, index) => partsOf(inner, `${field}.content[${index}]`))
  const texts = parts.flatMap((part) => (part.kind === 'text' ? [part.text] : []))
  const images = parts.flatMap((part) => (part.kind === 'image' ? [part.url] : []))
  const pdfs = parts.filter((part) => part.kind === 'pdf')
  const text = texts.join('\n\n') || '(no output)'
  return { text: block['is_error'] === true ? `Error: ${text}` : text, images, pdfs }
}
