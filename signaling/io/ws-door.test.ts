import test from 'ava'
import { doorContract } from './test/door-contract.ts'
import { openWsDoor } from './ws-door.ts'

doorContract(test, openWsDoor)
