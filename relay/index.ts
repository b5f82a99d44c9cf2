/** The trunk between a node and its upstream, and those to its children (design §4). */
export { linkTestCommand } from './io/link-test-command.ts'
export { openTrunks, type Trunks, type TrunksOptions } from './io/open-trunks.ts'
export { askOwnDoors } from './io/own-doors.ts'
