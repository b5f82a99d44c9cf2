/** Two suites: the quick one (default) beside the code, and `e2e` with browsers and real processes. */
const endToEnd = process.env.NHIPCAU_TEST_SUITE === 'e2e'

export default {
  extensions: ['ts'],
  files: endToEnd
    ? ['test/e2e/**/*.test.ts']
    : ['**/*.test.ts', '!test/e2e/**', '!node_modules/**', '!cache/**', '!web/dist/**'],
  // Each file in a process of its own: native doors, signals and worker threads do not meet.
  workerThreads: false,
  concurrency: endToEnd ? 1 : 2,
  timeout: endToEnd ? '180s' : '120s',
}
