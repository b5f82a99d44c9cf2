import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import test from 'ava'
import { parseUdpTable, UdpDrops } from './udp-drops.ts'

const HEAD =
  '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n'

test('inode and drops are read from the lines of the table, other lines are skipped', (t) => {
  const line = (inode: number, drops: number) =>
    `  512: 0100007F:1F90 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 ${inode} 2 0000000000000000 ${drops}\n`
  const table = parseUdpTable(`${HEAD}${line(77, 3)}nonsense\n${line(78, 0)}`)
  t.deepEqual(
    [...table],
    [
      [77, 3],
      [78, 0],
    ],
  )
})

test('what overflows a socket that nobody reads is counted, even after it was closed', async (t) => {
  const receiver = createSocket({ type: 'udp4', recvBufferSize: 2048 })
  const sender = createSocket('udp4')
  const drops = new UdpDrops()
  receiver.bind(0, '127.0.0.1')
  await once(receiver, 'listening')
  const before = drops.read()
  // Sends without giving the event loop a turn to read.
  const { port } = receiver.address()
  sender.connect(port, '127.0.0.1')
  await once(sender, 'connect')
  const datagram = Buffer.alloc(1000)
  for (let count = 0; count < 300; count += 1) sender.send(datagram)
  const overflowed = drops.read() - before
  receiver.close()
  sender.close()
  t.true(overflowed > 100, `${overflowed}`)
  t.is(drops.read() - before, overflowed)
})
