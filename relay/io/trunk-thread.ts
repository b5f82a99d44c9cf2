/** Entry of the trunk thread, started by trunk-thread-host.ts with a TrunkThreadSetup. See trunk-loop.ts. */
import { parentPort, workerData } from 'node:worker_threads'
import { createTrunkEnd } from '../trunk/index.ts'
import { startTrunkLoop } from './trunk-loop.ts'
import type { TrunkThreadSetup } from './trunk-thread-protocol.ts'

startTrunkLoop(parentPort, workerData as TrunkThreadSetup, createTrunkEnd)
