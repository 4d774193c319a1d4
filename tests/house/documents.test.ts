import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { expect, test } from 'vitest'
import { readConfig } from '../../server/config/config.ts'
import { parseEnvFile } from '../../server/config/env-file.ts'
import { variableRows } from '../../server/config/variables.ts'
import { provisionSchema, readProvisionFile } from '../../server/provisioning/provision-file.ts'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const readmes = ['README.md', 'README.zh-CN.md']
/** English and Chinese. */
const pairs = [
  'README',
  ...['configuration', 'provisioning', 'error-rules', 'operations', 'questions', 'graphql-subscriptions'].map(inDocs),
].map((name) => [`${name}.md`, `${name}.zh-CN.md`])
const manifest = JSON.parse(read('package.json')) as { scripts: Record<string, string> }

function inDocs(name: string): string {
  return `docs/${name}`
}

/** Cells of the table rows that begin with a variable. */
function environmentTable(path: string): string[][] {
  return [...read(path).matchAll(/^\| `([A-Z_]+)` \| (.*) \|$/gm)].map(([, name, rest]) => [
    name ?? '',
    ...(rest ?? '').split(' | '),
  ])
}

test('the first screen says what it is, the two commands and the three lines that connect Claude Code', () => {
  for (const path of readmes) {
    const screen = read(path).split('\n').slice(0, 27).join('\n')
    expect(screen).toContain('```bash\nnpm ci && npm start\nnpm ci && npm test\n```')
    expect(screen).toMatch(
      /\nexport ANTHROPIC_BASE_URL=http:\/\/127\.0\.0\.1:10081\/claude-code\nexport ANTHROPIC_AUTH_TOKEN=sk-…\nclaude\n/,
    )
  }
})

test('a README has at most 250 lines', () => {
  for (const path of readmes) expect(read(path).split('\n').length, path).toBeLessThanOrEqual(251)
})

test('the table of variables in the documents is that of the program, word for word', () => {
  expect(environmentTable('docs/configuration.md')).toEqual(
    variableRows().map((row) => [row.name, row.default ? `\`${row.default}\`` : 'none', row.description]),
  )
})

test('the Chinese table has the same variables in the same order, with the same plain defaults', () => {
  const plain = (text: string) => /^[\w./:<>-]*$/.test(text)
  const chinese = environmentTable('docs/configuration.zh-CN.md')
  expect(chinese.map(([name]) => name)).toEqual(variableRows().map(({ name }) => name))
  for (const [index, row] of variableRows().entries())
    if (plain(row.default)) expect(chinese[index]?.[1], row.name).toBe(row.default ? `\`${row.default}\`` : '无')
})

test('.env.example names every setting once, with its description and default, and changes nothing as it is', () => {
  const example = read('.env.example')
  const found = [...example.matchAll(/^# (.*)\n#([A-Z_]+)=(.*)$/gm)].map(([, description, name, value]) => ({
    description,
    name,
    value,
  }))
  expect(found.map(({ name }) => name)).toEqual(variableRows().map(({ name }) => name))
  for (const [index, row] of variableRows().entries()) {
    expect(found[index]?.description).toContain(row.description)
    expect([row.default, '']).toContain(found[index]?.value)
  }
  expect(parseEnvFile(example)).toEqual({ values: {}, problems: [] })
})

test('.env.example with every line set to what it shows is accepted', () => {
  const { config, warnings } = readConfig({}, parseEnvFile(read('.env.example').replace(/^#([A-Z_]+=)/gm, '$1')), 'UTC')
  expect(config.port).toBe(10081)
  expect(warnings.filter((warning) => warning.includes('is not a setting'))).toEqual([])
})

test('the provisioning file in both languages is the same and is accepted', () => {
  const examples = ['docs/provisioning.md', 'docs/provisioning.zh-CN.md'].map(
    (path) => /```json\n(\{\n {2}"\$schema".*?)```/s.exec(read(path))?.[1] ?? '',
  )
  expect(examples[0]).toBe(examples[1])
  expect(readProvisionFile(examples[0] ?? '')).toMatchObject({ accounts: [{}, {}], keys: [{ dailyLimitUsd: '12.50' }] })
})

test('docs/provision.schema.json is printed from the format (after a change: vitest run tests/house/documents.test.ts -u)', async () => {
  // Short lists of plain values on one line, as the formatter wants them.
  const text = JSON.stringify(provisionSchema(), null, 2).replace(
    /\[\n\s+([^[\]{}]+?)\n\s+\]/g,
    (whole, items: string) => {
      const line = `[${items.replace(/\n\s+/g, ' ')}]`
      return line.length > 90 ? whole : line
    },
  )
  await expect(`${text}\n`).toMatchFileSnapshot('../../docs/provision.schema.json')
})

test('the examples of subscriptions in both languages are the files that tests run', () => {
  const examples = readdirSync(new URL('../../docs/examples', import.meta.url)).map((name) =>
    read(`docs/examples/${name}`),
  )
  for (const path of ['docs/graphql-subscriptions.md', 'docs/graphql-subscriptions.zh-CN.md'])
    expect(new Set([...read(path).matchAll(/```ts\n(.*?)```/gs)].map(([, text]) => text))).toEqual(new Set(examples))
})

test('every npm command and every file that the documents name exists', () => {
  for (const path of pairs.flat()) {
    const text = read(path)
    for (const [, script] of text.matchAll(/npm run ([\w:]+)/g)) expect(Object.keys(manifest.scripts)).toContain(script)
    for (const [, link = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
      const target = posix.join(posix.dirname(path), link)
      expect(existsSync(new URL(`../../${target}`, import.meta.url)), `${path}: ${link}`).toBe(true)
    }
  }
})

test('both READMEs say that Claude subscriptions were verified against an emulation, not against the vendor', () => {
  const [english = '', chinese = ''] = readmes.map((path) => read(path).replace(/\s+/g, ' '))
  expect(english).toContain('**It was verified against an emulation of the vendor, not against the vendor.**')
  expect(chinese).toContain('**它是对照服务商的模拟环境验证的，并未对服务商本身验证。**')
})

test('a document has the same sections in both languages', () => {
  for (const pair of pairs) {
    const [english, chinese] = pair.map((path) => read(path).match(/^(#+ |\d\. |\| ?-|```)/gm))
    expect(english, pair[0]).toEqual(chinese)
  }
})

test('the image and the compose file set only variables that are settings, and build from files that exist', () => {
  const names = new Set(variableRows().map(({ name }) => name))
  const dockerfile = read('deploy/Dockerfile')
  const relay = /\n {2}relay:\n.*?\n\n/s.exec(read('docker-compose.yml'))?.[0] ?? ''
  const inImage = [...(/^ENV (.*)$/m.exec(dockerfile)?.[1] ?? '').matchAll(/(\w+)=/g)].map(([, name]) => name ?? '')
  const inCompose = [...relay.matchAll(/^ {6}([A-Z_]+):/gm)].map(([, name]) => name ?? '')
  expect(inCompose).toEqual(['HOST', 'PORT', 'DATA_DIR'])
  expect([...inImage, ...inCompose].filter((name) => !names.has(name))).toEqual(['NODE_ENV'])
  expect(relay).toContain('dockerfile: deploy/Dockerfile')
  const start = ['node', '--max-semi-space-size=8', '--v8-pool-size=1', 'dist/server/main.js']
  expect(dockerfile).toContain(`CMD [${start.map((word) => `"${word}"`).join(', ')}]`)
  expect(manifest.scripts['start']).toBe(start.join(' '))
})

test('whatever stands at the root goes into the build of the image, unless it is known to have no part in it', () => {
  const lines = read('.dockerignore').split('\n')
  const goes = lines
    .filter((line) => line.startsWith('!'))
    .map((line) => new RegExp(`^${line.slice(1).replace('*', '.*')}$`))
  const ignored = read('.gitignore')
    .split('\n')
    .map((line) => line.replace(/^\//, ''))
  const stays = readdirSync(new URL('../..', import.meta.url)).filter(
    (name) => !name.startsWith('.') && !ignored.includes(`${name}/`) && !goes.some((one) => one.test(name)),
  )
  const noPart = ['bench', 'deploy', 'docs', 'tests', 'CHANGELOG.md', 'README.md', 'README.zh-CN.md']
  noPart.push('biome.json', 'docker-compose.yml', 'eslint.config.mjs', 'knip.json', 'vitest.config.ts')
  expect(stays.filter((name) => !noPart.includes(name))).toEqual([])
})

test('every version in the manifest is exact', () => {
  const { dependencies, devDependencies, overrides } = JSON.parse(read('package.json')) as Record<
    'dependencies' | 'devDependencies' | 'overrides',
    Record<string, string>
  >
  const versions = Object.entries({ ...dependencies, ...devDependencies, ...overrides })
  expect(versions.filter(([, version]) => !/^(npm:[a-z-]+@)?\d+\.\d+\.\d+(-[\w.-]+)?$/.test(version))).toEqual([])
})
