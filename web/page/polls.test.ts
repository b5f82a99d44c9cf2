import test from 'ava'
import { percentOf, pollDraft, votesOf } from './polls.ts'

const poll = { poll: 'na-1', question: '?', options: ['a', 'b'], counts: [0, 0], closed: false }

test('shares are whole percents, and nothing while nobody has voted', (t) => {
  t.is(percentOf(poll, 0), 0)
  const voted = { ...poll, counts: [2, 1] }
  t.is(votesOf(voted), 3)
  t.deepEqual([percentOf(voted, 0), percentOf(voted, 1), percentOf(voted, 9)], [67, 33, 0])
})

test('a poll needs a question and answers that differ', (t) => {
  t.deepEqual(pollDraft(' Mổ ngay? ', ['Có ', 'Không']), {
    question: 'Mổ ngay?',
    options: ['Có', 'Không'],
  })
  t.is(pollDraft(' ', ['a', 'b']), undefined)
  t.is(pollDraft('?', ['a', ' ']), undefined)
  t.is(pollDraft('?', ['a', 'a ']), undefined)
  t.is(pollDraft('?', ['a']), undefined)
})
