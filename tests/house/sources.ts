import { readdirSync, readFileSync } from 'node:fs'
import ts from 'typescript'

/** The repository as the house's tests look at it. */
const root = new URL('../../', import.meta.url)
const notOurs = new Set(['node_modules', 'dist', '.git', 'data', 'data-demo', 'coverage', '.ci-cache', 'bin'])
const generated = new Set(['server/generated', 'client/graphql/introspection.d.ts'])

export interface Source {
  /** From the root of the repository, with slashes. */
  path: string
  /** Specifiers as written, dynamic imports and types too. */
  imports: string[]
  /** Where the file uses the global `process` or imports node:process, but for process.nextTick. */
  processUses: string[]
  /** Getters and setters of object literals, by name. */
  literalAccessors: string[]
}

export const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
  dependencies: Record<string, string>
}

export const topLevel = (): string[] => readdirSync(root)

export const ignoredAtTop = (): string[] =>
  readFileSync(new URL('.gitignore', root), 'utf8')
    .split('\n')
    .map((line) => line.replace(/\/$/, ''))

/** Paths of all files below `folder` that are ours: nothing installed, built or generated. */
export function filesIn(folder: string): string[] {
  return readdirSync(new URL(`${folder}/`, root), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (notOurs.has(entry.name) || generated.has(path)) return []
    return entry.isDirectory() ? filesIn(path) : [path]
  })
}

export const readText = (path: string): string => readFileSync(new URL(path, root), 'utf8')

/** The TypeScript files below `folder`, parsed: comments and strings do not count. */
export function readSources(folder: string): Source[] {
  const paths = filesIn(folder).filter((path) => path.endsWith('.ts'))
  return paths.map((path) => ({
    path,
    ...look(ts.createSourceFile(path, readText(path), ts.ScriptTarget.ES2023, true)),
  }))
}

function look(file: ts.SourceFile): Omit<Source, 'path'> {
  const imports: string[] = []
  const processUses: string[] = []
  const literalAccessors: string[] = []
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node)
    if (specifier !== undefined) imports.push(specifier)
    if (specifier === 'node:process' || specifier === 'process' || isProcess(node)) {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart())
      processUses.push(`line ${line + 1}: ${node.parent.getText().slice(0, 60)}`)
    }
    if (ts.isAccessor(node) && ts.isObjectLiteralExpression(node.parent)) literalAccessors.push(node.name.getText())
    ts.forEachChild(node, visit)
  }
  visit(file)
  return { imports, processUses, literalAccessors }
}

function specifierOf(node: ts.Node): string | undefined {
  if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier)
    return textOf(node.moduleSpecifier)
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
    return textOf(node.arguments[0])
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return textOf(node.argument.literal)
  return undefined
}

const textOf = (node: ts.Node | undefined): string | undefined =>
  node && ts.isStringLiteralLike(node) ? node.text : undefined

function isProcess(node: ts.Node): boolean {
  if (!ts.isIdentifier(node) || node.text !== 'process') return false
  const { parent } = node
  if (!ts.isPropertyAccessExpression(parent)) return true
  // `process.x` but for nextTick, and `globalThis.process`; `other.process` is somebody else's.
  return parent.expression === node ? parent.name.text !== 'nextTick' : parent.expression.getText() === 'globalThis'
}
