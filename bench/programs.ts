/** Builds the other programs of the bench: two in C, and the bare pass-through as plain JavaScript. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** Absolute paths of the built programs. */
export interface Programs {
  upstream: string
  load: string
  bare: string
}

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const flags = ['-O2', '-std=c11', '-Wall', '-Wextra', '-Werror']

/** Compiles into bench/bin with `cc`, or throws with the compiler's output. */
export function buildPrograms(): Programs {
  const programs = { upstream: here('./bin/upstream'), load: here('./bin/load'), bare: here('./bin/bare.js') }
  mkdirSync(here('./bin'), { recursive: true })
  compile(programs.upstream, ['./upstream.c', './responses.c'])
  compile(programs.load, ['./load.c'])
  // Run by plain node, because a loader such as tsx would add threads and memory.
  const source = readFileSync(new URL('./bare.ts', import.meta.url), 'utf8')
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 }
  writeFileSync(programs.bare, ts.transpileModule(source, { compilerOptions }).outputText)
  return programs
}

function compile(output: string, sources: readonly string[]) {
  execFileSync('cc', [...flags, '-o', output, ...sources.map(here)], { stdio: ['ignore', 'inherit', 'inherit'] })
}
