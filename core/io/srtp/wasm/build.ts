/**
 * Compiles hmac-sha1.as into hmac-sha1.wasm.ts, which is committed so that a server needs no compiler.
 * Run `node core/io/srtp/wasm/build.ts` after a change; a test fails when the two do not belong together.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import asc from 'assemblyscript/asc'

const SOURCE = new URL('hmac-sha1.as', import.meta.url)
const OUTPUT = new URL('hmac-sha1.wasm.ts', import.meta.url)

/** The binary that the source gives with the pinned compiler; throws with the compiler's messages. */
export async function compileHmacSha1(): Promise<Uint8Array> {
  const source = readFileSync(SOURCE, 'utf8')
  let binary: Uint8Array | undefined
  const { error, stderr } = await asc.main(
    [
      'hmac-sha1.ts',
      ...['--outFile', 'hmac-sha1.wasm', '--runtime', 'stub', '--importMemory', '--noAssert'],
      ...['--enable', 'simd', '-O3', '--converge', '--memoryBase', '4096'],
    ],
    {
      readFile: (name) => (name === 'hmac-sha1.ts' ? source : null),
      writeFile: (name, contents) => {
        if (name === 'hmac-sha1.wasm') binary = contents as Uint8Array
      },
      listFiles: () => [],
    },
  )
  if (error || !binary) throw new Error(`hmac-sha1.as: ${stderr.toString()}`, { cause: error })
  return binary
}

/** The committed module's text for a binary. */
function writeModule(binary: Uint8Array): string {
  const base64 = Buffer.from(binary).toString('base64')
  return `/** Generated from hmac-sha1.as by build.ts; do not edit. */\nexport const HMAC_SHA1_WASM_BASE64 =\n  '${base64}'\n`
}

if (import.meta.main) writeFileSync(OUTPUT, writeModule(await compileHmacSha1()))
