/** The trunk between a node and its upstream, and those to its children (design §4). */
export { loadNodeKey, RelayBook, rememberUpstream } from './identity/index.ts'
export { openTrunks, type Trunks, type TrunksOptions } from './open-trunks.ts'
