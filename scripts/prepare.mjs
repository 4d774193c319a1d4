// Runs after `npm ci`. Builds the program, except after `npm ci --omit=dev`: then there is no compiler, and dist/ is copied.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

if (existsSync(new URL('../node_modules/vite', import.meta.url))) {
  const build = spawnSync('npm', ['run', 'build'], { stdio: 'inherit', shell: process.platform === 'win32' })
  process.exitCode = build.status ?? 1
}
