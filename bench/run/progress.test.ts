import test from 'ava'
import { ProgressWriter, type Status, statusText } from './progress.ts'

const status: Status = {
  name: 'storm-1000',
  phase: 'join',
  atS: 12.4,
  durationS: 180,
  load: { planned: 1000, joined: 640, failed: 2, lossRatio: 0.0012 },
  cpu: new Map([
    ['core', 0.931],
    ['load', 0.7],
    ['others', 0.05],
  ]),
}

test('the line says phase, joined of how many, failed, loss, CPU of each process and time left', (t) => {
  t.is(
    statusText(status),
    'storm-1000  join  12/180 s, 2 min 48 s left  joined 640/1000, 2 failed  loss 0.12 %  cpu core 93 %, load 70 %',
  )
})

test('others are named when they take a share worth telling', (t) => {
  t.true(statusText({ ...status, cpu: new Map([['others', 0.4]]) }).includes('others 40 %'))
})

test('several lines are told together', (t) => {
  const shares: [string, number][] = [
    ['core', 0.1],
    ['link.a', 0.2],
    ['link.b', 0.3],
    ['load', 0.4],
  ]
  t.true(
    statusText({ ...status, cpu: new Map(shares) }).includes('core 10 %, links 50 %, load 40 %'),
  )
})

test('before the load speaks there is nothing to say of joins, and at the end no time left', (t) => {
  const bare = { ...status, load: undefined, cpu: new Map(), phase: 'end' as const }
  t.is(statusText(bare), 'storm-1000  end  12/180 s')
})

function written(isTty: boolean) {
  const texts: string[] = []
  const stream = { isTTY: isTty, columns: 10, write: (text: string) => texts.push(text) }
  return { texts, writer: new ProgressWriter(stream) }
}

test('in a terminal one line is drawn over, cut to its width, and gone before a line that stays', (t) => {
  const { texts, writer } = written(true)
  writer.status('0123456789abc', { nowMs: 0 })
  writer.status('next', { nowMs: 1 })
  writer.say('stays')
  t.deepEqual(texts, ['\r\x1b[2K012345678', '\r\x1b[2Knext', '\r\x1b[2K', 'stays\n'])
})

test('elsewhere it is a plain line every 5 s, and one for each piece of news', (t) => {
  const { texts, writer } = written(false)
  for (const nowMs of [0, 1000, 4999, 5000, 9000])
    writer.status(`at ${nowMs}`, { nowMs, isNews: nowMs === 1000 })
  t.deepEqual(texts, ['at 0\n', 'at 1000\n', 'at 9000\n'])
})
