import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { Vp8Source } from '../../bench/site/media-source.ts'
import { openBrowser } from './browser.ts'

/** Where the payload stands in a packet without negotiated extensions: header, an empty block, the VP8 descriptor. */
const PAYLOAD_AT = 12 + 4 + 6

type Frame = { isKey: boolean; bytes: number[] }

function film(frames: number, bitrateBps: number, [width, height]: [number, number]): Frame[] {
  const extensions = { mid: 0, rid: 0, level: 0 }
  const source = new Vp8Source(
    { ssrc: 1, payloadType: 96, mid: '1', extensions },
    { rid: '', bitrateBps, width, height },
    { framesPerSecond: 25, temporal: true, publisher: 1, layer: 0 },
  )
  return Array.from({ length: frames }, (_, frame) => {
    if (frame === 20) source.requestKeyframe()
    const bytes: number[] = []
    source.next(frame * 40, (packet, end) => bytes.push(...packet.slice(PAYLOAD_AT, end)))
    return { isKey: frame === 0 || frame === 20, bytes }
  })
}

test('what a synthetic publisher films, a browser decodes: every frame, in every size', async (t) => {
  const server = createServer((_, response) => response.end('<!doctype html>')).listen(0)
  t.teardown(() => server.close())
  const context = await openBrowser(t)
  const page = await context.newPage()
  // WebCodecs wants a secure context, which localhost is.
  await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`)
  const sizes: [number, [number, number]][] = [
    [20_000, [320, 180]],
    [500_000, [640, 360]],
    [1_700_000, [1280, 720]],
  ]
  for (const [bitrateBps, size] of sizes) {
    const seen = await page.evaluate(
      async (frames) => {
        const shown: string[] = []
        const problems: string[] = []
        const decoder = new VideoDecoder({
          output: (frame) => {
            shown.push(`${frame.codedWidth}x${frame.codedHeight}`)
            frame.close()
          },
          error: (error) => problems.push(String(error)),
        })
        decoder.configure({ codec: 'vp8' })
        frames.forEach(({ isKey, bytes }, index) => {
          const type = isKey ? 'key' : 'delta'
          const data = new Uint8Array(bytes)
          decoder.decode(new EncodedVideoChunk({ type, timestamp: index * 40_000, data }))
        })
        await decoder.flush()
        return { shown, problems }
      },
      film(30, bitrateBps, size),
    )
    t.deepEqual(seen.problems, [])
    t.deepEqual(seen.shown, Array(30).fill(size.join('x')))
  }
})
