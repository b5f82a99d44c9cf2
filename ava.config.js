/**
 * Three suites: the quick one (default) beside the code; `e2e` with browsers and real processes; `doors`, run by
 * signaling/io/with-debian13-libc.sh, where only threads can be started.
 */
const suite = process.env.NHIPCAU_TEST_SUITE ?? 'quick'

export default {
  extensions: ['ts'],
  files:
    suite === 'e2e'
      ? ['test/e2e/**/*.test.ts']
      : ['**/*.test.ts', '!test/e2e/**', '!node_modules/**', '!cache/**', '!web/dist/**'],
  // A process of its own for each file: signals, native doors and worker threads do not meet.
  workerThreads: suite === 'doors',
  concurrency: suite === 'e2e' ? 1 : 2,
  timeout: suite === 'e2e' ? '600s' : '120s',
}
