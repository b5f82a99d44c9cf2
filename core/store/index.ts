/** The door of the store: the event log on disk, and the host that drives a conference by the clock. */
export { type ConferenceHost, createConferenceHost } from './conference-host.ts'
export { registerStoreMetrics } from './metrics.ts'
export {
  openEventStore,
  type StoreReport,
} from './sqlite-event-store.ts'
export { StoreError } from './store-error.ts'
