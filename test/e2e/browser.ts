/** Headless Chromium for a test: fresh profile, fake camera and microphone, screenshots kept as artefacts. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { ROOT } from './core-process.ts'

const CHROMIUM = process.env.CHROMIUM_PATH || '/usr/bin/chromium'
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
]

export type BrowserOptions = {
  locale?: string
  viewport?: { width: number; height: number }
  /** Runs the browser inside this network namespace. */
  namespace?: string
  /** Origins that count as secure though they are plain http (for namespaces). */
  secureOrigins?: string[]
  /** False: the page is refused camera and microphone. */
  devices?: boolean
  /** Of the fake camera; default 20, as Chromium has it. */
  framesPerSecond?: number
}

export async function openBrowser(
  t: ExecutionContext<unknown>,
  options: BrowserOptions = {},
): Promise<BrowserContext> {
  const profile = mkdtempSync(join(tmpdir(), 'nhipcau-chromium-'))
  const origins = (options.secureOrigins ?? []).join(',')
  const denied = options.devices === false
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: executable(options.namespace, profile),
    headless: true,
    locale: options.locale ?? 'vi-VN',
    viewport: options.viewport ?? { width: 1280, height: 800 },
    permissions: denied ? [] : ['camera', 'microphone'],
    args: [
      ...flagsFor(options),
      ...(origins === '' ? [] : [`--unsafely-treat-insecure-origin-as-secure=${origins}`]),
    ],
  })
  t.teardown(async () => {
    await context.close().catch(() => undefined)
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  })
  return context
}

function flagsFor({ devices, framesPerSecond }: BrowserOptions): string[] {
  if (devices === false) return FLAGS.filter((flag) => !flag.includes('fake'))
  if (framesPerSecond === undefined) return FLAGS
  const device = '--use-fake-device-for-media-stream'
  return FLAGS.map((flag) => (flag === device ? `${device}=fps=${framesPerSecond}` : flag))
}

/** A browser is started inside a namespace by a script that stands for its executable. */
function executable(namespace: string | undefined, folder: string): string {
  if (namespace === undefined) return CHROMIUM
  const script = join(folder, 'chromium-in-namespace.sh')
  writeFileSync(script, `#!/bin/sh\nexec ip netns exec ${namespace} ${CHROMIUM} "$@"\n`)
  chmodSync(script, 0o755)
  return script
}

/** Keeps a picture of the page under artefacts/, for people to look at. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  const folder = join(ROOT, 'artefacts/screenshots')
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`) })
}

/** Polls in real time until the value is truthy; fails with `what` after `timeoutMs`. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T> | T,
  timeoutMs = 20_000,
): Promise<NonNullable<T>> {
  const endMs = Date.now() + timeoutMs
  let last: unknown
  while (Date.now() < endMs) {
    try {
      const value = await probe()
      if (value) return value as NonNullable<T>
      last = value
    } catch (error) {
      last = error
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error(`not in ${timeoutMs} ms: ${what} (last: ${String(last)})`)
}
