/** The exchange of logs between neighbours in the tree. Pure. */
export { LogExchange, type LogExchangeOptions, type LogNeighbour } from './log-exchange.ts'
