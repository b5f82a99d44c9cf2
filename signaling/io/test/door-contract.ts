/** What every door must do, as tests: run over each implementation by its own test file. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { TestFn } from 'ava'
import { WebSocket } from 'ws'
import { handlersFor, type Open } from './client.ts'
import { httpContract } from './http-contract.ts'
import { socketContract } from './socket-contract.ts'
import { makeTestCertificate } from './test-certificate.ts'

function tlsContract(test: TestFn, open: Open): void {
  test('speaks TLS with the configured files, and says so', async (t) => {
    const tls = makeTestCertificate()
    const door = await open({
      host: '127.0.0.1',
      port: 0,
      tls,
      messageBytesMax: 100,
      handlers: handlersFor({
        onRequest: (request) => ({ status: 200, headers: {}, body: String(request.secure) }),
        onMessage: (socket, data) => socket.send(data),
      }),
    })
    t.teardown(() => door.close())
    const request = httpsRequest({
      host: '127.0.0.1',
      port: door.port,
      rejectUnauthorized: false,
      agent: false,
    })
    request.end()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    const [body] = (await once(response, 'data')) as [Buffer]
    t.is(body.toString(), 'true')
    const client = new WebSocket(`wss://127.0.0.1:${door.port}/`, ['one'], {
      rejectUnauthorized: false,
    })
    await once(client, 'open')
    client.send(Buffer.from('x'))
    t.is(((await once(client, 'message')) as [Buffer])[0].toString(), 'x')
    client.terminate()
  })

  test('missing TLS files are an error, not an open door', async (t) => {
    const tls = { certificateFile: '/nonexistent/a.pem', keyFile: '/nonexistent/b.pem' }
    await t.throwsAsync(
      open({ host: '127.0.0.1', port: 0, tls, messageBytesMax: 100, handlers: handlersFor({}) }),
    )
  })
}

/** Registers the whole contract with `test`; `open` is the door under test. */
export function doorContract(test: TestFn, open: Open): void {
  httpContract(test, open)
  socketContract(test, open)
  tlsContract(test, open)
}
