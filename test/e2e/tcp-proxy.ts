/** A TCP proxy between page and core that can be cut like a cable: media (UDP) does not pass here and goes on. */
import { connect, createServer, type Socket } from 'node:net'
import type { ExecutionContext } from 'ava'

export type TcpProxy = {
  /** Address of the page through the proxy, on localhost. */
  url: string
  /** Resets every connection; new ones are reset too until `mend`. */
  cut: () => void
  mend: () => void
}

export async function startTcpProxy(
  t: ExecutionContext<unknown>,
  targetPort: number,
): Promise<TcpProxy> {
  const open = new Set<Socket>()
  let isCut = false
  const server = createServer((near) => {
    if (isCut) {
      near.resetAndDestroy()
      return
    }
    const far = connect(targetPort, '127.0.0.1')
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        open.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return {
    url: `http://localhost:${port}`,
    cut: () => {
      isCut = true
      for (const socket of open) socket.resetAndDestroy()
    },
    mend: () => {
      isCut = false
    },
  }
}
