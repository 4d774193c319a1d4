import { posix } from 'node:path'
import { expect, test } from 'vitest'
import { floors } from './floors.ts'
import { manifest, readSources, type Source } from './sources.ts'

/** One library, one home: rooms, or single files where a room would be too much. `generated` is Prisma's own. */
const homes: Readonly<Record<string, readonly string[]>> = {
  '@escape.tech/graphql-armor': ['graphql'],
  '@graphql-yoga/plugin-csrf-prevention': ['graphql'],
  '@graphql-yoga/render-graphiql': ['graphql'],
  '@node-rs/argon2': ['identity'],
  '@pothos/core': ['graphql'],
  '@pothos/plugin-complexity': ['graphql'],
  '@pothos/plugin-prisma': ['graphql', 'server/generated'],
  '@pothos/plugin-relay': ['graphql'],
  '@pothos/plugin-scope-auth': ['graphql'],
  '@pothos/plugin-validation': ['graphql'],
  '@prisma/adapter-libsql': ['store'],
  '@prisma/adapter-mariadb': ['store'],
  '@prisma/client': ['server/generated'],
  bree: ['jobs'],
  'eventsource-parser': ['upstreams'],
  graphql: ['graphql'],
  'graphql-redis-subscriptions': ['store'],
  'graphql-ws': ['graphql'],
  'graphql-yoga': ['graphql'],
  ioredis: ['store'],
  'ipaddr.js': ['server/networks.ts'],
  jose: ['identity'],
  libsql: ['store'],
  'lru-cache': ['relay'],
  mariadb: ['store'],
  pino: ['server/log.ts'],
  socks: ['upstreams'],
  undici: ['upstreams'],
  ws: ['graphql'],
  zod: [
    'graphql',
    'provisioning',
    'config',
    'accounts',
    'keys',
    'prices',
    'upstreams',
    'identity',
    'server/field-values.ts',
  ],
}

const server = readSources('server')

test('a room imports only the rooms below it; nouns never import each other, doors never import doors', () => {
  expect(server.length).toBeGreaterThan(50)
  const wrong = server.flatMap((source) =>
    source.imports
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => posix.join(posix.dirname(source.path), specifier))
      .filter((target) => !mayImport(roomOf(source.path), roomOf(target)))
      .map((target) => `${source.path} (${roomOf(source.path)}) imports ${target} (${roomOf(target)})`),
  )
  expect(wrong).toEqual([])
})

test('every room has its floor, and every folder of server/ is a room', () => {
  const known = new Set(floors.flat())
  expect(server.map(({ path }) => path).filter((path) => !known.has(roomOf(path)))).toEqual([])
})

test('a library is imported only where it is at home', () => {
  const wrong = server.flatMap((source) =>
    source.imports
      .filter((specifier) => !/^(\.|node:)/.test(specifier))
      .filter((specifier) => !isHome(source, homes[packageOf(specifier)] ?? []))
      .map((specifier) => `${source.path} imports ${specifier}`),
  )
  expect(wrong).toEqual([])
})

test('every library of the manifest has a home, and every home its library', () => {
  expect(Object.keys(homes).sort()).toEqual(Object.keys(manifest.dependencies).sort())
})

test('only main.ts touches process; process.nextTick orders work and is no more than that', () => {
  const wrong = server.flatMap(({ path, processUses }) =>
    path === 'server/main.ts' ? [] : processUses.map((use) => `${path}: ${use}`),
  )
  expect(wrong).toEqual([])
})

test('nobody uses async hooks: from their first use on every promise of the relay would pay for them', () => {
  expect(server.filter(({ imports }) => imports.includes('node:async_hooks')).map(({ path }) => path)).toEqual([])
})

test('no object literal on the relay path has getters: V8 makes old memory of each, and with it what the request was', () => {
  const rooms = ['relay', 'upstreams', 'ledger']
  const found = server
    .filter(({ path }) => rooms.includes(roomOf(path)))
    .flatMap(({ path, literalAccessors }) => literalAccessors.map((name) => `${path}: ${name}`))
  expect(found).toEqual([])
})

function mayImport(from: string, to: string): boolean {
  const floorOf = (room: string): number => floors.findIndex((floor) => floor.includes(room))
  return from === to || floorOf(from) < floorOf(to)
}

/** Prisma's own folder is a part of the store. */
const sameRoom: Readonly<Record<string, string>> = { generated: 'store' }

/** The folder below server/; of single files main, demo, app, http … their own name, else `leaves`. */
function roomOf(path: string): string {
  const [, folder = '', ...rest] = path.split('/')
  if (rest.length > 0) return sameRoom[folder] ?? folder
  const name = folder.replace(/\.ts$/, '')
  return floors.some((floor) => floor.includes(name)) ? name : 'leaves'
}

function isHome({ path }: Source, homes: readonly string[]): boolean {
  return homes.some((home) => (home.startsWith('server/') ? path.startsWith(home) : roomOf(path) === home))
}

/** `@scope/name` or `name` of `@scope/name/deeper`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
