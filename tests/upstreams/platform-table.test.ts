import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { anthropicFormat } from '../../server/upstreams/formats/anthropic/anthropic.ts'
import { chatFormat } from '../../server/upstreams/formats/chat/chat.ts'
import { responsesFormat } from '../../server/upstreams/formats/responses/responses.ts'
import { platforms } from '../../server/upstreams/platforms/platforms.ts'

test.each(['docs/platforms.md', 'docs/platforms.zh-CN.md'])('the table of %s is what the platforms say', (path) => {
  const served = Object.values(platforms).filter((platform) => platform !== undefined)
  const rows = [anthropicFormat, chatFormat, responsesFormat].map((client) => {
    const cells = served.map(({ format, servesTranslated }) =>
      format === client ? 'bytes' : servesTranslated ? 'translation' : 'never',
    )
    return `| ${[client.name, ...cells].join(' | ')} |`
  })
  const text = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
  expect(text).toContain(rows.join('\n'))
  expect(text).toContain(` | ${served.map(({ name }) => name).join(' | ')} |\n`)
})
