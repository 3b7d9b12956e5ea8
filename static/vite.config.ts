import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const server = process.env.WENZHEN_URL ?? 'http://127.0.0.1:8080'

/** The official client for pages without a bundler, by the names under which Node.js serves it at /socket.io/. */
const socketClient = {
  name: 'socket.io-client',
  generateBundle(this: { emitFile: (file: { type: 'asset'; fileName: string; source: string }) => string }) {
    for (const build of ['socket.io', 'socket.io.min', 'socket.io.esm.min', 'socket.io.msgpack.min']) {
      for (const name of [`${build}.js`, `${build}.js.map`]) {
        const source = readFileSync(folder(`./node_modules/socket.io-client/dist/${name}`), 'utf8')
        this.emitFile({ type: 'asset', fileName: `socket.io/${name}`, source })
      }
    }
  },
}

export default defineConfig({
  plugins: [vue(), socketClient],
  resolve: { alias: { '@': folder('./src'), 'wenzhen-client': folder('./packages/client/src/index.ts') } },
  define: {
    __VUE_OPTIONS_API__: 'true', // element-plus has a few components that need it
    __VUE_PROD_DEVTOOLS__: 'false',
    __VUE_I18N_FULL_INSTALL__: 'false',
    __VUE_I18N_LEGACY_API__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
    __INTLIFY_DROP_MESSAGE_COMPILER__: 'false',
  },
  build: {
    outDir: 'dist/app',
    emptyOutDir: true,
    assetsInlineLimit: 0, // the policy allows no data: styles, scripts or fonts
    target: 'es2022',
    chunkSizeWarningLimit: 700,
  },
  server: {
    proxy: {
      '/api': server,
      '/socket.io': { target: server, ws: true },
      '/chat': { target: server, ws: true },
    },
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts', 'packages/*/src/**/*.test.ts'],
  },
})
