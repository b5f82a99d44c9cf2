import test from 'ava'
import { compileHmacSha1 } from './build.ts'
import { HMAC_SHA1_WASM_BASE64 } from './hmac-sha1.wasm.ts'

test('the committed binary is what the source gives', async (t) => {
  const binary = await compileHmacSha1()
  t.is(HMAC_SHA1_WASM_BASE64, Buffer.from(binary).toString('base64'))
})
