import test from 'ava'
import { addedUp, countedBetween, parseExposition, parseGauges, quantileOf } from './exposition.ts'

const text = (sent: number, buckets: number[]): string => `# HELP n_sent_total Sent.
# TYPE n_sent_total counter
n_sent_total ${sent}
# TYPE n_dropped_total counter
n_dropped_total{reason="too-late"} 3
# TYPE n_now gauge
n_now 7
# TYPE n_latency_seconds histogram
n_latency_seconds_bucket{le="0.001"} ${buckets[0]}
n_latency_seconds_bucket{le="0.002"} ${buckets[1]}
n_latency_seconds_bucket{le="+Inf"} ${buckets[2]}
n_latency_seconds_sum 1
n_latency_seconds_count ${buckets[2]}
not a line at all
`

test('counters come with their labels, histograms by name, gauges not at all', (t) => {
  const { counters, histograms } = parseExposition(text(12, [1, 2, 3]))
  t.deepEqual(
    [...counters],
    [
      ['n_sent_total', 12],
      ['n_dropped_total{reason="too-late"}', 3],
    ],
  )
  t.deepEqual(
    [...histograms],
    [
      [
        'n_latency_seconds',
        { bounds: [0.001, 0.002, Number.POSITIVE_INFINITY], counts: [1, 2, 3] },
      ],
    ],
  )
})

test('gauges are read by themselves', (t) => {
  t.deepEqual([...parseGauges(text(12, [1, 2, 3]))], [['n_now', 7]])
})

test('between two readings is what was counted meanwhile; a counter that fell began anew', (t) => {
  const before = parseExposition(text(10, [1, 2, 4]))
  const later = countedBetween(before, parseExposition(text(25, [2, 4, 8])))
  t.is(later.counters.get('n_sent_total'), 15)
  t.is(later.counters.get('n_dropped_total{reason="too-late"}'), 0)
  t.deepEqual(later.histograms.get('n_latency_seconds')?.counts, [1, 2, 4])
  const restarted = countedBetween(before, parseExposition(text(4, [1, 1, 1])))
  t.is(restarted.counters.get('n_sent_total'), 4)
  t.deepEqual(restarted.histograms.get('n_latency_seconds')?.counts, [1, 1, 1])
})

test('nodes and stretches add up', (t) => {
  const one = parseExposition(text(10, [1, 2, 4]))
  const sum = addedUp([one, one])
  t.is(sum.counters.get('n_sent_total'), 20)
  t.deepEqual(sum.histograms.get('n_latency_seconds')?.counts, [2, 4, 8])
})

test('a quantile lies straight between the bounds of its bucket, and not beyond the last', (t) => {
  const histogram = { bounds: [1, 2, Number.POSITIVE_INFINITY], counts: [50, 90, 100] }
  t.is(quantileOf(histogram, 0.25), 0.5)
  t.is(quantileOf(histogram, 0.5), 1)
  t.is(quantileOf(histogram, 0.7), 1.5)
  t.is(quantileOf(histogram, 0.99), 2)
  t.is(quantileOf({ bounds: [1], counts: [0] }, 0.5), Number.NaN)
})
