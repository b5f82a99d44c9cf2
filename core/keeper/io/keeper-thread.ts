/** Entry of the keeper thread, started by keeper-thread-host.ts with a KeeperSetup. See keeper-loop.ts. */
import { parentPort, workerData } from 'node:worker_threads'
import { startKeeperLoop } from './keeper-loop.ts'
import type { KeeperSetup } from './keeper-protocol.ts'

startKeeperLoop(parentPort, workerData as KeeperSetup)
