import test from 'ava'
import { openDoor } from './open-door.ts'
import { doorContract } from './test/door-contract.ts'
import { loadUws, openUwsDoor } from './uws-door.ts'

const loaded = loadUws()
// `npm test` runs this folder twice: as it is, and under Debian 13's libc (suite `doors`), where
// the binary must load. Where it does not, what is left to prove is that the refusal says why.
const mustLoad = process.env.NHIPCAU_TEST_SUITE === 'doors'

if ('uws' in loaded) doorContract(test, (options) => openUwsDoor(loaded.uws, options))
else {
  test('where the binary does not load, asking for its door is refused with the reason', async (t) => {
    t.false(mustLoad, loaded.reason)
    const handlers = {} as Parameters<typeof openDoor>[1]['handlers']
    const options = { host: '127.0.0.1', port: 0, messageBytesMax: 1, handlers }
    const error = await t.throwsAsync(openDoor('uws', options))
    t.true(error?.message.includes(loaded.reason))
  })
}
