/** Started by the watch of a run (ledger.ts) when its runner has ended: clears away what it has left. */
import { sweep } from './ledger.ts'

const [, , file] = process.argv
if (file !== undefined) sweep(file)
