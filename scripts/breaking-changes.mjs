// Compares schema.graphql with that of the last release, the newest tag v… behind this commit. Fails where a client of that
// release would break. Runs in the folder it is called from.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { CriticalityLevel, diff } from '@graphql-inspector/core'
import { buildSchema } from 'graphql'

const file = 'schema.graphql'
const git = (...args) => execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()

/** null, with the reason said, where there is nothing to compare with. */
function lastRelease() {
  let tag
  try {
    tag = git('describe', '--tags', '--abbrev=0', '--match', 'v[0-9]*')
  } catch (error) {
    console.log(
      `Skipped: ${file} is compared with that of the last release, and no tag v… was found behind this commit. ` +
        `In a shallow clone run \`git fetch --tags --unshallow\` first. git says: ${String(error.stderr ?? error.message).trim()}`,
    )
    return null
  }
  if (git('ls-tree', '--name-only', tag, `./${file}`) === '') {
    console.log(`Skipped: the last release, ${tag}, has no ${file}.`)
    return null
  }
  return { tag, text: git('show', `${tag}:./${file}`) }
}

const release = lastRelease()
if (release) {
  const changes = await diff(buildSchema(release.text), buildSchema(readFileSync(file, 'utf8')))
  const of = (level) => changes.filter(({ criticality }) => criticality.level === level)
  const breaking = of(CriticalityLevel.Breaking)
  const dangerous = of(CriticalityLevel.Dangerous)
  for (const { message } of breaking) console.log(`breaking: ${message}`)
  for (const { message } of dangerous) console.log(`dangerous: ${message}`)
  console.log(
    `${file} since ${release.tag}: ${changes.length} changes, ${breaking.length} breaking, ${dangerous.length} dangerous.`,
  )
  if (breaking.length > 0) process.exitCode = 1
}
