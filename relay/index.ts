/** The trunk between a node and its upstream, and those to its children (design §4). */
export { openTrunks, type Trunks, type TrunksOptions } from './io/open-trunks.ts'
export { askOwnDoors } from './io/own-doors.ts'
export { linkTestCommand } from './link-test/index.ts'
