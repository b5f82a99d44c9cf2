/**
 * What every door must do with HTTP, as tests. Real sockets on loopback; each test waits for an
 * event, never for time.
 */
import { once } from 'node:events'
import { connect } from 'node:net'
import type { TestFn } from 'ava'
import type { DoorRequest, DoorResponse } from '../../door.ts'
import { call, firstLine, handlersFor, later, type Open, opened, PLAIN } from './client.ts'

function requests(test: TestFn, open: Open): void {
  test('a request reaches the handler whole, and a copy outlives the call', async (t) => {
    let kept: DoorRequest | undefined
    const door = await opened(t, open, {
      onRequest: async (request) => {
        kept = request
        await new Promise((resolve) => setImmediate(resolve))
        return { status: 201, headers: { ...PLAIN, 'x-a': 'b' }, body: request.body }
      },
    })
    const answer = await call(door.port, '/a%20b?c=d&e', {
      method: 'POST',
      body: 'hello',
      headers: { 'X-Upper': 'Value' },
    })
    t.is(answer.status, 201)
    t.is(answer.body, 'hello')
    t.is(answer.headers['x-a'], 'b')
    t.is(answer.headers['content-length'], '5')
    t.is(kept?.method, 'POST')
    t.is(kept?.path, '/a%20b')
    t.is(kept?.query, 'c=d&e')
    t.is(kept?.headers['x-upper'], 'Value')
    t.is(Object.getPrototypeOf(kept?.headers), null)
    t.is(kept?.remoteAddress, '127.0.0.1')
    t.is(kept?.secure, false)
  })

  test('a body above its bound is refused with 413 and never reaches the handler', async (t) => {
    let calls = 0
    const door = await opened(t, open, {
      bodyBytesMax: () => 10,
      onRequest: () => {
        calls++
        return { status: 200, headers: {} }
      },
    })
    const answer = await call(door.port, '/', { method: 'POST', body: 'x'.repeat(11) })
    t.is(answer.status, 413)
    t.is(calls, 0)
    const exact = await call(door.port, '/', { method: 'POST', body: 'x'.repeat(10) })
    t.is(exact.status, 200)
  })

  test('who sends too much and only then reads still reads the refusal', async (t) => {
    const door = await opened(t, open, { bodyBytesMax: () => 10 })
    const body = 'x'.repeat(600_000)
    const answer = await call(door.port, '/', { method: 'POST', body })
    t.is(answer.status, 413)
    t.is(JSON.parse(answer.body).code, 'too-large')
  })

  test('a body of an outrageous length is refused before it comes', async (t) => {
    const door = await opened(t, open, { bodyBytesMax: () => 10 })
    const socket = connect(door.port, '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999\r\n\r\n')
    t.regex(await firstLine(socket), /^HTTP\/1\.1 413 /)
  })

  test('a chunked body above its bound is refused with 413', async (t) => {
    const door = await opened(t, open, { bodyBytesMax: () => 10 })
    const socket = connect(door.port, '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n')
    socket.write('8\r\n12345678\r\n8\r\n12345678\r\n')
    t.regex(await firstLine(socket), /^HTTP\/1\.1 413 /)
  })
}

function bodies(test: TestFn, open: Open): void {
  test('HEAD, 204 and 304 carry no body, and HEAD keeps the length', async (t) => {
    const door = await opened(t, open, {
      onRequest: (request) =>
        request.path === '/204'
          ? { status: 204, headers: {} }
          : request.path === '/304'
            ? { status: 304, headers: { etag: '"x"' } }
            : { status: 200, headers: PLAIN, body: 'twelve bytes' },
    })
    const head = await call(door.port, '/', { method: 'HEAD' })
    t.is(head.headers['content-length'], '12')
    t.is(head.body, '')
    const empty = await call(door.port, '/204')
    t.is(empty.status, 204)
    t.is(empty.headers['content-length'], undefined)
    const same = await call(door.port, '/304')
    t.is(same.status, 304)
    t.is(same.headers.etag, '"x"')
  })

  test('all methods arrive, DELETE and OPTIONS without waiting for a body', async (t) => {
    const door = await opened(t, open, {
      onRequest: (request) => ({ status: 200, headers: PLAIN, body: request.method }),
    })
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      t.is((await call(door.port, '/', { method })).body, method)
    }
  })

  test('a handler that throws or rejects costs one 500, not the door', async (t) => {
    const door = await opened(t, open, {
      onRequest: (request) => {
        if (request.path === '/throw') throw new Error('on purpose')
        if (request.path === '/reject') return Promise.reject(new Error('on purpose'))
        return { status: 200, headers: {} }
      },
    })
    t.is((await call(door.port, '/throw')).status, 500)
    t.is((await call(door.port, '/reject')).status, 500)
    t.is((await call(door.port, '/')).status, 200)
  })

  test('control characters in a header value cannot start another header', async (t) => {
    const door = await opened(t, open, {
      onRequest: () => ({ status: 200, headers: { location: '/x\r\nset-cookie: a=b\0' } }),
    })
    const answer = await call(door.port, '/')
    t.is(answer.headers['set-cookie'], undefined)
    t.is(answer.headers.location, '/x  set-cookie: a=b')
  })
}

function failures(test: TestFn, open: Open): void {
  test('a client that leaves before the answer does no harm', async (t) => {
    const arrived = later<void>()
    const released = later<DoorResponse>()
    const door = await opened(t, open, {
      onRequest: (request) => {
        if (request.path !== '/slow') return { status: 200, headers: {} }
        arrived.resolve()
        return released.promise
      },
    })
    const socket = connect(door.port, '127.0.0.1')
    socket.write('GET /slow HTTP/1.1\r\nhost: a\r\n\r\n')
    await arrived.promise
    socket.resetAndDestroy()
    t.is((await call(door.port, '/')).status, 200)
    released.resolve({ status: 200, headers: {}, body: 'late' })
    t.is((await call(door.port, '/')).status, 200)
  })

  test('a spare connection, as browsers keep, is closed in the end without a word', async (t) => {
    t.timeout(60_000)
    const door = await opened(t, open, {})
    const socket = connect(door.port, '127.0.0.1')
    let answered = ''
    socket.on('data', (bytes) => {
      answered += bytes
    })
    await once(socket, 'close')
    // A browser would take it as the answer to the first request that it sends here.
    t.is(answered, '')
  })

  test('a large response arrives whole', async (t) => {
    const body = Buffer.alloc(3_000_000, 'abc')
    const door = await opened(t, open, {
      onRequest: () => ({ status: 200, headers: PLAIN, body }),
    })
    const answer = await call(door.port, '/')
    t.is(answer.body.length, body.length)
    t.is(answer.headers['content-length'], String(body.length))
  })

  test('a second door on the same port is refused', async (t) => {
    const door = await opened(t, open, {})
    await t.throwsAsync(
      open({
        host: '127.0.0.1',
        port: door.port,
        messageBytesMax: 100,
        handlers: handlersFor({}),
      }),
    )
  })
}

/** What a door owes to HTTP clients. */
export function httpContract(test: TestFn, open: Open): void {
  requests(test, open)
  bodies(test, open)
  failures(test, open)
}
