/**
 * Builds the page (`dist/index.html`, `dist/assets/`) and the SDK as one module (`dist/sdk/nhipcau.js`). Run by
 * npm's `prepare` after every install. Not a development server: `node web/build.ts --watch` rebuilds on change.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { InlineConfig } from 'vite'

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const require = createRequire(import.meta.url)

const shared: InlineConfig = {
  configFile: false,
  logLevel: 'warn',
  resolve: {
    // The page forbids eval; this is the same library without its attempt to use it.
    alias: { msgpackr: folder('../node_modules/msgpackr/dist/index-no-eval.cjs') },
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
}

const page = (watch: boolean): InlineConfig => ({
  ...shared,
  root: folder('./page'),
  base: '/',
  build: {
    outDir: folder('./dist'),
    emptyOutDir: true,
    target: ['chrome100', 'firefox100', 'safari15.4'],
    // Inlined files would be data: URLs, which the page's policy allows for pictures only.
    assetsInlineLimit: 0,
    rolldownOptions: { input: [folder('./page/index.html'), folder('./page/operator.html')] },
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    watch: watch ? {} : null,
  },
})

const sdk: InlineConfig = {
  ...shared,
  root: folder('./sdk'),
  publicDir: false,
  build: {
    outDir: folder('./dist/sdk'),
    emptyOutDir: true,
    target: 'es2022',
    reportCompressedSize: false,
    lib: { entry: folder('./sdk/index.ts'), formats: ['es'], fileName: () => 'nhipcau.js' },
  },
}

const isInstalled = (name: string): boolean => {
  try {
    require.resolve(name)
    return true
  } catch {
    return false
  }
}

/** `npm ci --omit=dev` and NODE_ENV=production leave the builder out on purpose. */
const isProductionInstall = (): boolean =>
  process.env.NODE_ENV === 'production' ||
  (process.env.npm_config_omit ?? '').split(/[\s,]+/).includes('dev')

const explainMissingBuilder = (): number => {
  const built = existsSync(folder('./dist/index.html'))
  if (built) {
    console.log('web: vite is not installed; the page built earlier in web/dist stays.')
    return 0
  }
  if (isProductionInstall()) {
    console.log(
      'web: not built, since this install leaves development packages out. The server works without a page; ' +
        'for the page, copy web/dist from a full install (as the Dockerfile does).',
    )
    return 0
  }
  console.error('web: vite is missing, so the page cannot be built. Run `npm ci` again.')
  return 1
}

const build = async (): Promise<number> => {
  if (!isInstalled('vite') || !isInstalled('preact')) return explainMissingBuilder()
  const vite = await import('vite')
  const startedAtMs = performance.now()
  const watch = process.argv.includes('--watch')
  await vite.build(page(watch))
  await vite.build(sdk)
  const elapsedSeconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1)
  console.log(`web: the page is built in web/dist (${elapsedSeconds} s)`)
  return 0
}

process.exitCode = await build()
