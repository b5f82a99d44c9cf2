/**
 * Headless Chromium for a test: fresh profile, fake camera and microphone, screenshots kept as
 * artefacts.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { chromiumFlags, requireChromium } from '../../bench/process/chromium.ts'
import { ROOT } from './core-process.ts'

/**
 * For what never comes: a machine that is busy with other things takes half a minute to load a
 * page.
 */
const WAIT_MS = 90_000

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
  const denied = options.devices === false
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: executable(options.namespace, profile),
    headless: true,
    locale: options.locale ?? 'vi-VN',
    viewport: options.viewport ?? { width: 1280, height: 800 },
    permissions: denied ? [] : ['camera', 'microphone'],
    args: chromiumFlags(options),
  })
  context.setDefaultTimeout(WAIT_MS)
  t.teardown(async () => {
    await context.close().catch(() => undefined)
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  })
  return context
}

/** A browser is started inside a namespace by a script that stands for its executable. */
function executable(namespace: string | undefined, folder: string): string {
  const program = requireChromium()
  if (namespace === undefined) return program
  const script = join(folder, 'chromium-in-namespace.sh')
  writeFileSync(script, `#!/bin/sh\nexec ip netns exec ${namespace} ${program} "$@"\n`)
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
  timeoutMs = WAIT_MS,
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
