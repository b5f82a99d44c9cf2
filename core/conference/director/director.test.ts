import test from 'ava'
import fc from 'fast-check'
import { SPEAKERS_REMEMBERED_MAX } from '../../../config/limits.ts'
import { createDirector, type Director, type StageSources } from './director.ts'

/** Participant `a` has microphone 1, camera 101; `b` 2, 102; and so on. */
function member(index: number, sources: Partial<StageSources> = {}): StageSources {
  const participant = String.fromCharCode(97 + index)
  return { participant, microphone: index + 1, camera: index + 101, screen: 0, ...sources }
}

const stageOf = (count: number) => Array.from({ length: count }, (_, index) => member(index))

/** Reports `levels` every 50 ms for a time; returns the assignments that were made meanwhile. */
function speak(
  director: Director,
  levels: [number, number][],
  { fromMs, forMs }: { fromMs: number; forMs: number },
) {
  const made = []
  for (let nowMs = fromMs; nowMs < fromMs + forMs; nowMs += 50) {
    director.onLevels(levels, nowMs)
    const assignment = director.takeAssignment()
    if (assignment !== undefined) made.push(assignment)
  }
  return made
}

test('up to three microphones are all assigned before anybody has spoken', (t) => {
  const director = createDirector()
  director.setStage(stageOf(3), 0)
  t.deepEqual(director.takeAssignment()!.audio, [1, 2, 3])
  t.is(director.takeAssignment(), undefined, 'only changes are told')
})

test('an assigned microphone keeps its slot when others come, go or are muted', (t) => {
  const director = createDirector()
  director.setStage(stageOf(3), 0)
  director.setStage([member(0, { microphone: 0 }), member(1), member(2)], 10)
  t.deepEqual(director.takeAssignment()!.audio, [0, 2, 3])
  director.setStage([member(1), member(2), member(3)], 20)
  t.deepEqual(director.takeAssignment()!.audio, [4, 2, 3])
})

test('a fourth who speaks takes the slot of the one longest silent within two reports', (t) => {
  const director = createDirector()
  director.setStage(stageOf(4), 0)
  speak(
    director,
    [
      [1, 30],
      [3, 30],
    ],
    { fromMs: 0, forMs: 2_000 },
  )
  director.onLevels(
    [
      [1, 30],
      [3, 30],
      [4, 25],
    ],
    2_000,
  )
  director.onLevels(
    [
      [1, 30],
      [3, 30],
      [4, 25],
    ],
    2_050,
  )
  t.deepEqual(director.takeAssignment()!.audio, [1, 4, 3])
})

test('three who speak are not displaced by a fourth who is hardly louder, nor by a short cry', (t) => {
  const director = createDirector()
  director.setStage(stageOf(4), 0)
  const three: [number, number][] = [
    [1, 30],
    [2, 30],
    [3, 30],
  ]
  speak(director, three, { fromMs: 0, forMs: 1_000 })
  const audio = (levels: [number, number][], fromMs: number, forMs: number) =>
    speak(director, levels, { fromMs, forMs }).map((made) => made.audio)
  for (const made of audio([...three, [4, 26]], 1_000, 3_000)) t.deepEqual(made, [1, 2, 3])
  for (const made of audio([...three, [4, 0]], 4_000, 150)) t.deepEqual(made, [1, 2, 3])
  for (const made of audio(three, 4_150, 3_000)) t.deepEqual(made, [1, 2, 3])
  const displaced = audio([...three, [4, 10]], 8_000, 2_000)
  t.is(displaced.length, 2, 'heard, then also seen')
  t.true(displaced[0]!.includes(4))
})

test('a pause between words costs nobody the slot', (t) => {
  const director = createDirector(1)
  director.setStage(stageOf(2), 0)
  speak(director, [[1, 30]], { fromMs: 0, forMs: 1_000 })
  speak(director, [[2, 34]], { fromMs: 1_000, forMs: 250 })
  speak(director, [[1, 30]], { fromMs: 1_250, forMs: 500 })
  t.deepEqual(director.takeAssignment()?.audio ?? [1], [1])
})

test('the speaker takes main after a dwell, and sees the previous speaker', (t) => {
  const director = createDirector()
  director.setStage(stageOf(3), 0)
  t.like(director.takeAssignment(), { main: 101, mainFallback: 102 })
  speak(director, [[3, 30]], { fromMs: 0, forMs: 1_000 })
  director.takeSpeakers()
  const made = speak(director, [[2, 30]], { fromMs: 1_000, forMs: 5_000 })
  t.deepEqual(
    made.map(({ main, mainFallback }) => [main, mainFallback]),
    [[102, 103]],
  )
  t.like(director.takeSpeakers(), { active: 'b' })
  t.is(director.takeSpeakers(), undefined)
})

test('a cough takes nobody’s picture away, and silence keeps the last speaker', (t) => {
  const director = createDirector()
  director.setStage(stageOf(3), 0)
  speak(director, [[1, 30]], { fromMs: 0, forMs: 3_000 })
  t.deepEqual(
    speak(
      director,
      [
        [1, 30],
        [2, 10],
      ],
      { fromMs: 3_000, forMs: 300 },
    ),
    [],
  )
  t.deepEqual(speak(director, [], { fromMs: 3_300, forMs: 10_000 }), [])
})

test('two who argue change the picture at most every two seconds', (t) => {
  const director = createDirector()
  director.setStage(stageOf(2), 0)
  let changes = 0
  for (let turn = 0; turn < 20; turn += 1) {
    const levels: [number, number][] = [[(turn % 2) + 1, 20]]
    changes += speak(director, levels, { fromMs: turn * 1_000, forMs: 1_000 }).length
  }
  t.true(changes <= 10, `${changes}`)
  t.true(changes >= 3, `${changes}`)
})

test('the newest screen outranks cameras, the pin outranks all, and both give way when they end', (t) => {
  const director = createDirector()
  const main = (stage: StageSources[]) => {
    director.setStage(stage, 0)
    return director.takeAssignment()?.main
  }
  t.is(main([member(0), member(1, { screen: 202 })]), 202)
  t.is(main([member(0, { screen: 201 }), member(1, { screen: 202 })]), 201)
  director.setPin({ participant: 'b', use: 'camera' })
  t.is(director.takeAssignment()!.main, 102)
  t.is(main([member(0, { screen: 201 }), member(1, { screen: 202, camera: 0 })]), 201)
  director.setPin({ participant: 'b', use: 'screen' })
  t.is(director.takeAssignment()!.main, 202)
  director.setPin(null)
  t.is(director.takeAssignment()!.main, 201)
  t.is(main([member(0)]), 101)
  t.is(main([]), 0)
})

test('tiles hold the others in stage order and stay where they are', (t) => {
  const director = createDirector()
  director.setStage(stageOf(4), 0)
  t.deepEqual(director.tiles('b', 2), [101, 103])
  t.deepEqual(director.tiles('b', 5), [101, 103, 104, 0, 0])
  director.setStage([member(1), member(2), member(3)], 0)
  t.deepEqual(director.tiles('b', 2, [101, 103]), [104, 103])
  t.deepEqual(director.tiles('z', 4, [103, 103]), [103, 102, 104, 0])
})

test('the memory of speakers is bounded', (t) => {
  const director = createDirector(16)
  const count = SPEAKERS_REMEMBERED_MAX + 4
  director.setStage(stageOf(count), 0)
  for (let index = 0; index < count; index += 1) {
    speak(director, [[index + 1, 20]], { fromMs: index * 4_000, forMs: 4_000 })
  }
  const last = member(count - 1)
  const silent = stageOf(count).map((one, index) =>
    index >= 4 && index < count - 1 ? { ...one, camera: 0 } : one,
  )
  director.setStage([...silent.slice(0, 4).reverse(), ...silent.slice(4)], 0)
  t.like(director.takeAssignment(), { main: last.camera, mainFallback: 104 })
})

const reports = fc.array(
  fc.oneof(
    fc.record({ stage: fc.uniqueArray(fc.nat(7)), camera: fc.boolean() }),
    fc.record({
      levels: fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.nat(127)), { maxLength: 8 }),
    }),
  ),
  { maxLength: 60 },
)

test('whatever happens, slots hold distinct live microphones, none is idle while one waits, and nobody sees himself', (t) => {
  fc.assert(
    fc.property(reports, (steps) => {
      const director = createDirector(3)
      let stage: StageSources[] = []
      let current = director.takeAssignment()!
      let nowMs = 0
      for (const step of steps) {
        nowMs += 50
        if ('stage' in step) {
          stage = step.stage.map((index) => member(index, step.camera ? {} : { camera: 0 }))
          director.setStage(stage, nowMs)
        } else director.onLevels(step.levels, nowMs)
        current = director.takeAssignment() ?? current
        const heard = current.audio.filter((id) => id !== 0)
        t.is(new Set(heard).size, heard.length)
        t.true(heard.every((id) => stage.some(({ microphone }) => microphone === id)))
        t.is(heard.length, Math.min(3, stage.length))
        if (current.main !== 0) t.not(current.main, current.mainFallback)
        t.is(
          current.main !== 0,
          stage.some(({ camera }) => camera !== 0),
        )
      }
    }),
  )
})
