/** autocannon ships no types; what we use of it. */
declare module 'autocannon' {
  type Result = {
    requests: { average: number; total: number }
    latency: { p50: number; p99: number }
    errors: number
    non2xx: number
  }
  type Options = { url: string; connections: number; duration: number }
  const autocannon: (options: Options) => Promise<Result>
  export default autocannon
}
