/** Builds dist/server once before the tests that start the program, when a source is newer. Types are checked elsewhere. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync, utimesSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const main = join(root, 'dist/server/main.js')

export default function buildProgram(): void {
  if (existsSync(main) && statSync(main).mtimeMs >= newestSource()) return
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--noCheck'], { cwd: root, stdio: 'inherit' })
  // The compiler does not touch a file whose text stays the same, so the time of the build is set here.
  utimesSync(main, new Date(), new Date())
}

function newestSource(): number {
  const files = readdirSync(join(root, 'server'), { recursive: true, encoding: 'utf8' })
  return Math.max(
    ...files.filter((file) => file.endsWith('.ts')).map((file) => statSync(join(root, 'server', file)).mtimeMs),
  )
}
