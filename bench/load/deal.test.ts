import test from 'ava'
import fc from 'fast-check'
import { dealRoutes } from './deal.ts'

test('as many equal routes as sites give each site its own', (t) => {
  t.deepEqual(dealRoutes([1, 1, 1, 1], 4).sort(), [0, 1, 2, 3])
})

test('after any number of sites each route is within one of its share', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.01, max: 10, noNaN: true }), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 300 }),
      (shares, count) => {
        const dealt = dealRoutes(shares, count)
        const sum = shares.reduce((total, share) => total + share, 0)
        return shares.every((share, route) => {
          const got = dealt.filter((index) => index === route).length
          return Math.abs(got - (count * share) / sum) <= 1 + 1e-6
        })
      },
    ),
  )
  t.pass()
})
