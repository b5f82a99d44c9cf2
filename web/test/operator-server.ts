/** The built page over HTTP with an invented country behind it, for looking at the operator's page without a server. */
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { extname } from 'node:path'
import { PAGE_CONTENT_SECURITY_POLICY, PAGE_DOCUMENTS, PAGE_ROOT } from '../index.ts'
import { operatorFixture } from './operator-fixture.ts'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

/** Any bearer is an operator, but for `refused`. */
export async function startOperatorServer(): Promise<{ port: number; server: Server }> {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (url.pathname === '/api/v1/trunk') {
      response.statusCode = request.headers.authorization?.endsWith('.refused') ? 403 : 200
      const status = operatorFixture(Date.now(), url.searchParams.get('history'))
      response.setHeader('content-type', 'application/json').end(JSON.stringify(status))
      return
    }
    const path = PAGE_DOCUMENTS[url.pathname] ?? url.pathname.replaceAll('..', '')
    const body = await readFile(PAGE_ROOT + path).catch(() => undefined)
    response.statusCode = body === undefined ? 404 : 200
    response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream')
    response.setHeader('content-security-policy', PAGE_CONTENT_SECURITY_POLICY)
    response.end(body)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { port: address.port, server }
}
