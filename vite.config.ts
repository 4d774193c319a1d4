import { TDesignResolver } from '@tdesign-vue-next/auto-import-resolver'
import vue from '@vitejs/plugin-vue'
import components from 'unplugin-vue-components/vite'
import { defineConfig, type Plugin } from 'vite'

/** Vue files, and TDesign's components by their tags. */
export const clientPlugins = () => [
  vue(),
  components({
    dts: false,
    dirs: [],
    resolvers: [
      // Without trees, dragging and editing of rows, which the plain `Table` brings along.
      (tag) => (tag === 'TTable' ? { name: 'BaseTable', from: 'tdesign-vue-next/es/table' } : undefined),
      TDesignResolver({ library: 'vue-next', resolveIcons: false }),
    ],
  }),
]

/** TDesign's index files install every part of a component. Marked as pure, the parts that nothing uses are left out. */
const singleParts: Plugin = {
  name: 'single-parts',
  transform: {
    filter: { id: /tdesign-vue-next[\\/]es[\\/][\w-]+[\\/]index\.mjs$/ },
    handler: (code) => code.replaceAll('= withInstall(', '= /* @__PURE__ */ withInstall('),
  },
}

function messageFile(id: string): string | null {
  const [, language, page] = /locales[\\/](en|zh-CN)[\\/]([\w-]+)\.ts$/.exec(id) ?? []
  return language === undefined ? null : `${language}-${page}`
}

/** The dashboard: client/ → dist/client, which server/http/static-client.ts serves. */
export default defineConfig({
  root: 'client',
  plugins: [...clientPlugins(), singleParts],
  define: {
    // Neither our components nor those of TDesign that we use have options beside `setup`.
    __VUE_OPTIONS_API__: 'false',
    __VUE_PROD_DEVTOOLS__: 'false',
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
    __VUE_I18N_FULL_INSTALL__: 'false',
    __VUE_I18N_LEGACY_API__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
  },
  build: {
    outDir: '../dist/client',
    emptyOutDir: true,
    target: 'es2022',
    // Inlined data: URLs would need a wider content security policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            // A group takes along what its files import, unless a group before it has that.
            { name: 'vue', test: /node_modules[\\/](@vue|vue|vue-router|vue-i18n|@intlify)[\\/]/, priority: 30 },
            {
              name: 'graphql',
              test: /node_modules[\\/](@urql[\\/](core|vue)|@0no-co|graphql|graphql-ws|gql\.tada|wonka)[\\/]/,
              priority: 20,
            },
            { name: 'graphql-cache', test: /node_modules[\\/]@urql[\\/]exchange-graphcache/, priority: 10 },
            // Messages: one file a language and page, named by both.
            { name: messageFile, test: /locales[\\/](en|zh-CN)[\\/]/ },
          ],
        },
      },
    },
  },
  server: { proxy: { '/graphql': { target: 'http://127.0.0.1:10081', ws: true } } },
})
