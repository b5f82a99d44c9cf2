/** autocannon ships no types; what we use of it. */
declare module 'autocannon' {
  type Result = {
    requests: { total: number }
    /** Seconds. */
    duration: number
    errors: number
    non2xx: number
  }
  type Options = { url: string; connections: number; duration: number; overallRate?: number }
  type OnResponse = (client: unknown, status: number, bytes: number, responseMs: number) => void
  type Run = Promise<Result> & {
    on: (event: 'response', listener: OnResponse) => void
    stop: () => void
  }
  const autocannon: (options: Options) => Run
  export default autocannon
}
