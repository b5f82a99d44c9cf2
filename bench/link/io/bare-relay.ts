/**
 * What any relay of datagrams costs in Node, without a line in between: the yardstick of `bench
 * link`. A process of its own; argument: the port to relay to. Serves one client.
 */
import { createSocket, type RemoteInfo } from 'node:dgram'
import { numericLookup } from '../../process/numeric-lookup.ts'
import { claimProcessor } from './scheduling.ts'

claimProcessor(true)
const target = Number(process.argv[2])
const near = createSocket({ type: 'udp4', lookup: numericLookup })
const far = createSocket({ type: 'udp4', lookup: numericLookup })
let client: RemoteInfo | undefined
near.on('message', (bytes, from) => {
  client = from
  far.send(bytes, 0, bytes.length, target, '127.0.0.1')
})
far.on('message', (bytes) => {
  if (client !== undefined) near.send(bytes, 0, bytes.length, client.port, client.address)
})
near.bind(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ event: 'ready', port: near.address().port })}\n`)
})
