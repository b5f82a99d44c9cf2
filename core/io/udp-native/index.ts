/**
 * Many datagrams in one system call (docs/adr/0010-sendmmsg.md). The door of this folder.
 *
 *   const native = loadNativeUdp()                   // a string says why there is none
 *   const descriptor = native.open({ family: 0, address, port, bufferBytes })
 *   const batch = new SendBatch({ native, descriptor, memory, capacity: 32 })
 *   batch.add(start, end, socketAddress(octets, port)); ...; batch.send()
 */
export { addressWord, type BatchArrival, BatchSocket } from './batch-socket.ts'
export {
  loadNativeUdp,
  type NativeUdp,
  NativeUdpError,
  socketAddress,
  whyNotBatched,
} from './libc.ts'
export { SendBatch } from './send-batch.ts'
