/**
 * Door of `status`: what a node knows about its own trunks and the tree below it, for operators.
 *
 *   book = new StatusBook({ nodeId, name, version, startedMs })
 *   book.opened(trunkId, peer, wallMs), book.closed(trunkId, wallMs)        with each control session
 *   book.reported(trunkId, report, { nameOf, wallMs })                      with each `trunk-report` of the thread
 *   book.told(trunkId, status, wallMs) -> false = malformed                 with each `status` message
 *   book.due(wallMs) -> [{ trunkId, status }]                               about once a second: send these
 *   book.upstreamFigures(wallMs)                                            for StagePort.setUpstream
 *   book.status(wallMs, historyOf?) -> TrunkStatus                          GET /api/v1/trunk?history={nodeId}
 */
export { StatusBook, type StatusNode, type StatusPeer, type TrunkFigures } from './status-book.ts'
export * from './trunk-status.ts'
