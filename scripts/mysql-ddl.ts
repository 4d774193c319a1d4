/** What this writer reads of Prisma's data model (DMMF), as scripts/prisma-dmmf.mjs dumps it. */
export interface DataModel {
  enums: { name: string; values: { name: string }[] }[]
  models: Model[]
  indexes: { model: string; type: 'id' | 'normal' | 'unique'; fields: { name: string }[] }[]
}
interface Model {
  name: string
  dbName: string | null
  fields: Field[]
}
interface Field {
  name: string
  dbName?: string | null
  kind: 'scalar' | 'object' | 'enum'
  isList: boolean
  isRequired: boolean
  type: string
  nativeType?: [string, string[]] | null
  default?: unknown
  relationFromFields?: string[]
  relationToFields?: string[]
  relationOnDelete?: string
  relationOnUpdate?: string
}

const scalarTypes: Record<string, string> = {
  Int: 'INTEGER',
  BigInt: 'BIGINT',
  Boolean: 'BOOLEAN',
  DateTime: 'DATETIME(3)',
  String: 'VARCHAR(191)',
}

/** utf8mb4_bin everywhere: names compare by their bytes, as in SQLite. */
const tableOptions = 'ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin'

/**
 * The MySQL DDL of a data model, in Prisma's own naming of keys and constraints: every table, then every foreign key.
 * Prisma's schema engine for MySQL is a native binary, so nobody else writes this offline. Throws for a type it does not know.
 */
export function mysqlDdl(model: DataModel): string {
  const tables = model.models.map((one) => createTable(one, model))
  const keys = model.models.flatMap((one) => foreignKeys(one, model))
  return `${[...tables, ...keys].join('\n\n')}\n`
}

function createTable(model: Model, all: DataModel): string {
  const lines = model.fields.filter((field) => field.kind !== 'object').map((field) => `  ${column(field, all)}`)
  for (const index of all.indexes.filter((one) => one.model === model.name)) {
    const names = index.fields.map((field) => columnName(model, field.name))
    const list = names.map(quote).join(', ')
    const name = [table(model), ...names].join('_')
    if (index.type === 'id') lines.push(`  PRIMARY KEY (${list})`)
    else if (index.type === 'unique') lines.push(`  UNIQUE INDEX ${quote(within64(name, '_key'))} (${list})`)
    else lines.push(`  INDEX ${quote(within64(name, '_idx'))} (${list})`)
  }
  return `CREATE TABLE ${quote(table(model))} (\n${lines.join(',\n')}\n) ${tableOptions};`
}

function foreignKeys(model: Model, all: DataModel): string[] {
  return model.fields.flatMap((field) => {
    const from = field.relationFromFields ?? []
    const target = all.models.find((one) => one.name === field.type)
    if (field.kind !== 'object' || from.length === 0 || !target) return []
    const own = from.map((name) => columnName(model, name))
    const theirs = (field.relationToFields ?? []).map((name) => columnName(target, name))
    const name = within64([table(model), ...own].join('_'), '_fkey')
    return [
      `ALTER TABLE ${quote(table(model))} ADD CONSTRAINT ${quote(name)} FOREIGN KEY (${own.map(quote).join(', ')}) ` +
        `REFERENCES ${quote(table(target))} (${theirs.map(quote).join(', ')}) ` +
        `ON DELETE ${action(field.relationOnDelete)} ON UPDATE ${action(field.relationOnUpdate)};`,
    ]
  })
}

function column(field: Field, all: DataModel): string {
  const presence = field.isRequired ? ' NOT NULL' : ' NULL'
  return `${quote(field.dbName ?? field.name)} ${columnType(field, all)}${presence}${defaultOf(field)}`
}

function columnType(field: Field, all: DataModel): string {
  const known = all.enums.find((one) => one.name === field.type)
  if (known) return `ENUM(${known.values.map((value) => text(value.name)).join(', ')})`
  if (field.nativeType) {
    const [name, parameters] = field.nativeType
    return parameters.length > 0 ? `${name.toUpperCase()}(${parameters.join(', ')})` : name.toUpperCase()
  }
  const type = scalarTypes[field.type]
  if (!type) throw new Error(`mysql-ddl knows no column type for ${field.name}: ${field.type}`)
  return type
}

function defaultOf(field: Field): string {
  const value = field.default
  if (value === undefined || value === null) return ''
  if (typeof value === 'object') {
    const { name } = value as { name: string }
    if (name === 'autoincrement') return ' AUTO_INCREMENT'
    if (name === 'now') return ' DEFAULT CURRENT_TIMESTAMP(3)'
    throw new Error(`mysql-ddl knows no default ${name}() for ${field.name}`)
  }
  // Prisma hands BigInt defaults over as text.
  if (typeof value === 'string') return ` DEFAULT ${field.type === 'BigInt' ? value : text(value)}`
  return ` DEFAULT ${JSON.stringify(value)}`
}

const table = (model: Model): string => model.dbName ?? model.name
const columnName = (model: Model, field: string): string =>
  model.fields.find((one) => one.name === field)?.dbName ?? field
const quote = (name: string): string => `\`${name}\``
const text = (value: string): string => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
const action = (name = 'Restrict'): string => name.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toUpperCase()
/** MySQL's identifiers end at 64 characters; Prisma cuts the same way. */
const within64 = (name: string, suffix: string): string => name.slice(0, 64 - suffix.length) + suffix
