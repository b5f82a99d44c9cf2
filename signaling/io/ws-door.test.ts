import test from 'ava'
import { doorContract } from './door-contract.ts'
import { openWsDoor } from './ws-door.ts'

doorContract(test, openWsDoor)
