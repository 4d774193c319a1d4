import { defineConfig } from 'prisma-cli/config'

// For Prisma's own command line (`npx prisma …`). The relay does not read it: it applies its migrations itself.
const url = process.env['DATABASE_URL'] || 'file:./data/relay.db'
const engine = /^(mysql|mariadb):/.test(url) ? 'mysql' : 'sqlite'

export default defineConfig({
  schema: `prisma/${engine}/schema.prisma`,
  migrations: { path: `prisma/${engine}/migrations` },
  datasource: { url },
})
