import test from 'ava'
import { doorContract } from './test/door-contract.ts'
import { loadUws, openUwsDoor } from './uws-door.ts'

const loaded = loadUws()
if ('uws' in loaded) doorContract(test, (options) => openUwsDoor(loaded.uws, options))
else test.skip(`the contract of the uws door: not loadable here: ${loaded.reason}`, (t) => t.pass())
