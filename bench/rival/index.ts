/** The door of bench/rival: Janus beside our core, in a pair of network namespaces, under the same load. */

export { type JanusServer, startJanus, whyNoJanus } from './janus-server.ts'
export { JanusSite, type JanusSiteOptions } from './janus-site.ts'
export {
  createNamespacePair,
  type NamespacePair,
  type NamespaceSide,
  whyNoNamespacePair,
} from './namespace-pair.ts'
