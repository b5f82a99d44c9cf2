import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { ConfigError, loadConfig, SETTINGS } from './index.ts'

function fileWith(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'nhipcau-config-')), 'node.yaml')
  writeFileSync(file, text)
  return file
}

function problemsOf(sources: Parameters<typeof loadConfig>[0]): readonly string[] {
  try {
    loadConfig(sources)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

test('without any source every setting has its default', (t) => {
  const config = loadConfig({ env: {} })
  for (const setting of SETTINGS) t.deepEqual(config[setting.key], setting.default)
})

test('the environment wins over the file, and the command line over both', (t) => {
  const file = fileWith('http:\n  port: 1000\nmedia:\n  port: 2000\nroom: {heardMax: 2}\n')
  const env = { NHIPCAU_HTTP_PORT: '1001', NHIPCAU_MEDIA_PORT: '2001' }
  const config = loadConfig({ file, env, overrides: ['media.port=2002'] })
  t.is(config['http.port'], 1001)
  t.is(config['media.port'], 2002)
  t.is(config['room.heardMax'], 2)
})

test('a list is read from YAML and from a comma-separated variable', (t) => {
  const file = fileWith('media:\n  announcedIps: [192.0.2.1, "2001:db8::1"]\n')
  t.deepEqual(loadConfig({ file, env: {} })['media.announcedIps'], ['192.0.2.1', '2001:db8::1'])
  const env = { NHIPCAU_ANNOUNCED_IPS: '192.0.2.7, 192.0.2.8' }
  t.deepEqual(loadConfig({ env })['media.announcedIps'], ['192.0.2.7', '192.0.2.8'])
})

test('a wrong value is refused with the key, the value and the allowed range', (t) => {
  t.deepEqual(problemsOf({ env: { NHIPCAU_HTTP_PORT: '70000' } }), [
    'NHIPCAU_HTTP_PORT: "70000" is not allowed; allowed: 0..65535 TCP port',
  ])
})

test('an address is one, not merely made of its characters', (t) => {
  for (const address of ['1.2.3', '999.1.1.1', ':::', 'fe80::1%eth0', 'ab']) {
    t.is(problemsOf({ env: { NHIPCAU_HTTP_HOST: address } }).length, 1, address)
    t.is(problemsOf({ env: { NHIPCAU_ANNOUNCED_IPS: address } }).length, 1, address)
  }
  t.is(loadConfig({ env: { NHIPCAU_HTTP_HOST: '::' } })['http.host'], '::')
})

test('all mistakes are told at once', (t) => {
  const file = fileWith('http: {prot: 80, door: apache}\nmedia: 5\n')
  const problems = problemsOf({ file, env: { NHIPCAU_WORKERS: '-1' }, overrides: ['x'] })
  t.is(problems.length, 5, problems.join('\n'))
})

test('an unknown setting or variable is refused rather than ignored', (t) => {
  t.regex(problemsOf({ env: { NHIPCAU_HTP_PORT: '1' } })[0] ?? '', /NHIPCAU_HTP_PORT/)
  t.regex(problemsOf({ env: {}, overrides: ['a.port=1'] })[0] ?? '', /did you mean http.port/)
})

test('a missing or broken file is refused with its name', (t) => {
  t.regex(problemsOf({ file: '/nowhere/x.yaml', env: {} })[0] ?? '', /\/nowhere\/x\.yaml/)
  t.regex(problemsOf({ file: fileWith('a: [1'), env: {} })[0] ?? '', /node\.yaml/)
})

test('a key without a certificate is refused', (t) => {
  t.regex(problemsOf({ env: { NHIPCAU_TLS_KEY: 'k.pem' } })[0] ?? '', /both or none/)
})

test('whatever stands in the variables, the answer is a config or a ConfigError', (t) => {
  const names = fc.constantFrom(...SETTINGS.map((setting) => setting.env))
  fc.assert(
    fc.property(fc.dictionary(names, fc.string({ unit: 'binary' })), (env) => {
      try {
        loadConfig({ env })
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
      }
    }),
  )
  t.pass()
})
