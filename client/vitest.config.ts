import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { clientPlugins } from '../vite.config.ts'

/** Components, mounted in a document of happy-dom. */
export default defineConfig({
  plugins: clientPlugins(),
  test: {
    name: 'client',
    environment: 'happy-dom',
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: ['tests/client/components/*.test.ts'],
    // They import style sheets, which only Vite can read.
    server: { deps: { inline: [/tdesign/] } },
  },
})
