/**
 * Where Chromium is on this machine, and the flags under which it takes part in a call without a
 * person, devices or a display.
 */
import { existsSync } from 'node:fs'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/**
 * Path of the program: `CHROMIUM_PATH`, else where distributions put it; undefined when there is
 * none.
 */
export function findChromium(): string | undefined {
  const named = process.env.CHROMIUM_PATH
  const places = named === undefined || named === '' ? PLACES : [named, ...PLACES]
  return places.find((path) => existsSync(path))
}

/** The same, for callers that cannot go on without; throws an Error that says what to do. */
export function requireChromium(): string {
  const path = findChromium()
  if (path === undefined) throw new Error('no Chromium here: install it or set CHROMIUM_PATH')
  return path
}

const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
]
const FAKE_DEVICES = ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream']

export type ChromiumOptions = {
  /** False: the page finds no camera and microphone. Default: fake ones. */
  devices?: boolean
  /** Of the fake camera; default 20, as Chromium has it. */
  framesPerSecond?: number
  /** Origins that count as secure though they are plain http. */
  secureOrigins?: readonly string[]
  /** True: media may go to 127.0.0.1, where servers and emulated lines of a measurement are. */
  loopbackMedia?: boolean
}

/** The command line for a headless Chromium. */
export function chromiumFlags({
  devices = true,
  framesPerSecond,
  secureOrigins = [],
  loopbackMedia = false,
}: ChromiumOptions = {}): string[] {
  const rate = framesPerSecond === undefined ? '' : `=fps=${framesPerSecond}`
  const fakes = devices ? [FAKE_DEVICES[0] as string, `${FAKE_DEVICES[1]}${rate}`] : []
  const origins = secureOrigins.join(',')
  const secure = origins === '' ? [] : [`--unsafely-treat-insecure-origin-as-secure=${origins}`]
  const loopback = loopbackMedia ? ['--allow-loopback-in-peer-connection'] : []
  return [...QUIET, ...fakes, ...secure, ...loopback]
}
