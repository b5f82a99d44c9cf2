/**
 * `./nhipcau link-test`: asks the relay that runs on this machine to measure the link above it, and shows what it
 * finds. Speaks plain REST over loopback; who may is the token's business.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { LinkTestRefusal } from '../control/index.ts'
import {
  type Language,
  type LinkTestStatus,
  presentProgress,
  presentResult,
  refusalText,
} from '../link-test/index.ts'

const POLL_MS = 1_000
/** Beyond the seconds that were asked for. */
const PATIENCE_MS = 20_000

type LinkTestRequest = { method: string; headers: Record<string, string>; body?: string }

export type LinkTestCommand = {
  /** Of the relay's doors, such as `http://127.0.0.1:8080`. */
  url: string
  token: string
  seconds: number
  language: Language
  json: boolean
  /** A request to these doors; rejects with the error of the socket. */
  ask: (url: string, request: LinkTestRequest) => Promise<{ status: number; body: string }>
  out: (line: string) => void
  progress: (line: string) => void
}

/** Exit code; rejects with what is to be said when no relay runs here or the test cannot be. */
export async function linkTestCommand(options: LinkTestCommand): Promise<number> {
  const { seconds, language } = options
  await ask(options, 'POST', JSON.stringify({ seconds }))
  const endMs = performance.now() + seconds * 1000 + PATIENCE_MS
  for (;;) {
    const status = await ask(options, 'GET')
    if (status.state === 'done' && status.result !== null) {
      options.out(
        options.json ? JSON.stringify(status.result) : presentResult(status.result, language),
      )
      return 0
    }
    if (status.state === 'refused' || status.state === 'failed') {
      throw new Error(refusalText(status.reason ?? 'no-figures', language))
    }
    if (performance.now() > endMs) throw new Error('the relay has not finished in time')
    options.progress(presentProgress(status, language))
    await sleep(POLL_MS)
  }
}

async function ask(
  { url, token, ask: send, language }: LinkTestCommand,
  method: string,
  body?: string,
): Promise<LinkTestStatus> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const request = { method, headers, ...(body === undefined ? {} : { body }) }
  const answer = await send(`${url}/api/v1/trunk/link-test`, request).catch(
    (error: Error & { code?: string }) => {
      throw new Error(`no relay runs here: ${url}: ${error.code ?? error.message}`)
    },
  )
  if (answer.status === 401) {
    throw new Error(`what runs at ${url} has another data folder: --set data.dir=... or --config`)
  }
  if (answer.status === 404) {
    throw new Error(`what runs at ${url} is no relay, or an older version`)
  }
  const told = JSON.parse(answer.body) as LinkTestStatus & { message: string }
  if (answer.status < 400) return told
  throw new Error(refusalText(told.message as LinkTestRefusal, language) ?? told.message)
}
