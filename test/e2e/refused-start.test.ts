/** A core that cannot start says why and ends; it does not hang half open. */
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { NHIPCAU, ROOT } from './core-process.ts'

const END_MS = 60_000

type Ended = { code: number | null; signal: string | null; text: string }

async function startAndEnd(env: Record<string, string>): Promise<Ended> {
  const folder = mkdtempSync(join(tmpdir(), 'nhipcau-core-'))
  const ports = { NHIPCAU_HTTP_PORT: '0', NHIPCAU_MEDIA_PORT: '0', NHIPCAU_DATA_DIR: folder }
  const child = spawn(NHIPCAU, ['core'], {
    cwd: ROOT,
    env: { ...process.env, NHIPCAU_TEST_SUITE: undefined, ...ports, ...env },
    timeout: END_MS,
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  const [code, signal] = await once(child, 'close')
  rmSync(folder, { recursive: true, force: true })
  return { code, signal, text }
}

test.serial('a taken TCP port ends the core with its number', async (t) => {
  const server = createServer()
  server.listen(0, '0.0.0.0')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const port = String((server.address() as AddressInfo).port)
  const { code, signal, text } = await startAndEnd({ NHIPCAU_HTTP_PORT: port })
  t.deepEqual([code, signal], [1, null])
  t.true(text.includes(port))
})

test.serial('a taken UDP port ends the core with its number', async (t) => {
  const socket = createSocket('udp4')
  socket.bind(0, '0.0.0.0')
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  const port = String(socket.address().port)
  const { code, signal, text } = await startAndEnd({ NHIPCAU_MEDIA_PORT: port })
  t.deepEqual([code, signal], [1, null])
  t.true(text.includes(port))
})

test.serial('a certificate that is not there ends the core with its name', async (t) => {
  const { code, signal, text } = await startAndEnd({
    NHIPCAU_TLS_CERT: '/nowhere/cert.pem',
    NHIPCAU_TLS_KEY: '/nowhere/key.pem',
  })
  t.deepEqual([code, signal], [1, null])
  t.regex(text, /\/nowhere\/cert\.pem/)
})

test.serial('a data folder that is a file ends the core with its name', async (t) => {
  const { code, signal, text } = await startAndEnd({ NHIPCAU_DATA_DIR: join(ROOT, 'package.json') })
  t.deepEqual([code, signal], [1, null])
  t.regex(text, /package\.json/)
})
