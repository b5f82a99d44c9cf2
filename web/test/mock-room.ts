/**
 * A room that answers docs/PROTOCOL.md from memory, for looking at the page without the product's server. It invents
 * people and pictures; nothing of it ships, and no end-to-end proof rests on it.
 */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname } from 'node:path'
import { Packr } from 'msgpackr'
import type { WebSocket } from 'ws'
import { WebSocketServer } from 'ws'
import { PAGE_CONTENT_SECURITY_POLICY, PAGE_ROOT, PAGE_ROUTE } from '../index.ts'
import type { RosterMember, SectionUse, StageMember } from '../sdk/messages.ts'

type Message = Record<string, unknown> & { type: string; ref?: number }
type Answer = (offer: { sdp: string; sections: SectionUse[] }) => Promise<string>

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

const person = (index: number): RosterMember => ({
  participant: `p${index}`,
  name: ['BS. Nguyễn Thị Hồng Hạnh', 'Lò Văn Páo', 'Trần Quốc Bảo', 'Vàng Thị Mỷ', 'Hà Minh Đức'][
    index % 5
  ] as string,
  site: [
    'Bệnh viện Bạch Mai',
    'Trạm y tế Mường Nhé',
    'TTYT Đồng Văn',
    'Trạm y tế Sín Thầu',
    'BV Chợ Rẫy',
  ][index % 5] as string,
  role: index === 0 ? 'chair' : 'speaker',
  onStage: index < 5,
})

const PEOPLE = 132
const packr = new Packr({ useRecords: false })

const claims = (token: string): Record<string, string> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

export const mockToken = (payload: Record<string, unknown>): string =>
  ['e30', Buffer.from(JSON.stringify(payload)).toString('base64url'), 'AA'].join('.')

const serveFiles = async (url: string): Promise<{ body: Buffer; type: string } | undefined> => {
  const path = url === '/' || PAGE_ROUTE.test(url) ? '/index.html' : url
  try {
    const body = await readFile(PAGE_ROOT + path.replaceAll('..', ''))
    return { body, type: TYPES[extname(path)] ?? 'application/octet-stream' }
  } catch {
    return undefined
  }
}

export type MockRoom = {
  port: number
  received: Message[]
  /** Sends to every page. */
  broadcast(message: Message): void
  /** Cuts every socket without a word; `refuse` also refuses new ones. */
  cut(refuse: boolean): void
  close(): void
}

export const startMockRoom = async (answer: Answer): Promise<MockRoom> => {
  const received: Message[] = []
  const sockets = new Set<WebSocket>()
  let refuse = false
  const http = createServer(async (request, response) => {
    if (request.url === '/api/v1/demo-token') {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const { name, role } = JSON.parse(Buffer.concat(chunks).toString())
      const token = mockToken({ room: 'demo', name, role, site: 'Máy này' })
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ token }))
      return
    }
    const file = await serveFiles((request.url ?? '/').split('?')[0] ?? '/')
    response.statusCode = file === undefined ? 404 : 200
    response.setHeader('content-type', file?.type ?? 'text/plain')
    response.setHeader('content-security-policy', PAGE_CONTENT_SECURITY_POLICY)
    response.end(file?.body ?? 'not found')
  })
  const doors = new WebSocketServer({ noServer: true })
  http.on('upgrade', (request, socket, head) => {
    if (refuse) socket.destroy()
    else doors.handleUpgrade(request, socket, head, (door) => serve(door))
  })
  const serve = (socket: WebSocket): void => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    const send = (message: Message): void => {
      if (socket.protocol.endsWith('json')) socket.send(JSON.stringify(message))
      else socket.send(packr.pack(message))
    }
    const session = createSession(send, answer)
    socket.on('message', (data: Buffer, binary) => {
      const message = (binary ? packr.unpack(data) : JSON.parse(data.toString())) as Message
      received.push(message)
      void session(message)
    })
  }
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return {
    port: (http.address() as { port: number }).port,
    received,
    broadcast: (message) => {
      for (const socket of sockets) {
        if (socket.protocol.endsWith('json')) socket.send(JSON.stringify(message))
        else socket.send(packr.pack(message))
      }
    },
    cut: (alsoRefuse) => {
      refuse = alsoRefuse
      for (const socket of sockets) socket.terminate()
    },
    close: () => {
      for (const socket of sockets) socket.terminate()
      http.close()
    },
  }
}

const member = (index: number): StageMember => ({
  ...person(index),
  sources: {
    microphone: { muted: index % 2 === 1 },
    ...(index === 3 ? {} : { camera: { muted: false } }),
  },
})

type Room = { revision: number; chatNumber: number; hands: string[] }

const CHAT = [
  'Chào các điểm cầu!',
  'Mường Nhé nghe rõ. <b>không phải HTML</b>',
  'Đồng Văn xin phát biểu sau ạ.',
]

const joined = (message: Message, me: StageMember, room: Room): Message => {
  const onStage = me.role === 'chair' || me.role === 'speaker'
  const stage = [0, 1, 2, 3, 4].map(member)
  return {
    type: 'joined',
    protocol: 1,
    session: 's1',
    secret: 'x',
    resumed: message.resume !== undefined,
    participant: me.participant,
    role: me.role,
    name: me.name,
    site: me.site,
    room: {
      room: claims(String(message.token)).room ?? 'demo',
      revision: room.revision,
      locked: false,
      emergency: false,
      polls: [],
      acting: [],
      succession: [],
      pin: null,
      counts: { sites: PEOPLE, stage: 6, audience: PEOPLE - 6, hands: 2 },
      stage: onStage ? [...stage, me] : stage,
      hands: room.hands,
    },
    chat: CHAT.map((text, index) => ({
      number: index + 1,
      ...person(index),
      text,
      time: Date.now() - (3 - index) * 60_000,
    })),
  }
}

const afterJoin = (me: StageMember): Message[] => {
  const onStage = me.role === 'chair' || me.role === 'speaker'
  const permitted = onStage ? ['microphone', 'camera', 'screen'] : []
  const muted = { microphone: { self: false, chair: false } }
  return [
    { type: 'self', onStage, permitted, muted },
    { type: 'speakers', active: 'p0', heard: ['p0', 'p2'] },
  ]
}

const afterOffer = (sections: readonly SectionUse[]): Message[] => {
  const main = sections.find((section) => section.use === 'main')?.mid
  const tile = sections.find((section) => section.use === 'tile')?.mid
  const stream = { direction: 'out', bitrateBps: 420_000, rttMs: 48, spatialLayer: 1 }
  const streams = [
    { mid: main, mark: 'amber', reason: 'bandwidth', lossRatio: 0.01, ...stream },
    { mid: tile, mark: 'red', reason: 'loss', lossRatio: 0.18, ...stream },
  ]
  return [
    { type: 'slots', slots: [{ mid: main, participant: 'p0', use: 'camera', state: 'live' }] },
    { type: 'quality', streams },
  ]
}

const rosterPage = (message: Message): Message => {
  const search = String(message.search ?? '').toLowerCase()
  const all = Array.from({ length: PEOPLE }, (_, index) => person(index)).filter((one) =>
    `${one.name} ${one.site}`.toLowerCase().includes(search),
  )
  const from = Number(message.cursor ?? 0)
  const until = from + Number(message.limit)
  return {
    type: 'roster-page',
    members: all.slice(from, until),
    cursor: until < all.length ? String(until) : null,
    total: all.length,
  }
}

/** What a view wants is there at once. */
const shown = (message: Message): Message => ({
  type: 'slots',
  slots: (message.slots as { participant?: string }[])
    .filter((slot) => slot.participant !== undefined)
    .map((slot) => ({ ...slot, state: 'live' })),
})

const createSession = (send: (message: Message) => void, answer: Answer) => {
  const room: Room = { revision: 1, chatNumber: 3, hands: ['p9', 'p3'] }
  const me: StageMember = { participant: 'pme', name: '', site: '', role: 'speaker', sources: {} }
  const reply = (to: Message, message: Message = { type: 'ok' }): void =>
    send({ ...message, ...(to.ref === undefined ? {} : { ref: to.ref }) })
  const change = (to: Message, changes: Record<string, unknown>): void => {
    reply(to)
    room.revision += 1
    send({ type: 'room', revision: room.revision, ...changes })
  }
  const handlers: Record<string, (message: Message) => void | Promise<void>> = {
    join: (message) => {
      const { name = '', site = '', role = 'speaker' } = claims(String(message.token))
      Object.assign(me, { name, site, role })
      reply(message, joined(message, me, room))
      afterJoin(me).forEach(send)
    },
    offer: async (message) => {
      const sections = message.sections as SectionUse[]
      reply(message, { type: 'answer', sdp: await answer({ sdp: String(message.sdp), sections }) })
      afterOffer(sections).forEach(send)
    },
    publish: (message) => {
      const use = message.use as 'camera'
      if (message.live === true) me.sources[use] = { muted: false }
      else delete me.sources[use]
      change(message, { stage: { set: [me], remove: [] } })
    },
    mute: (message) => {
      const source = me.sources[message.use as 'microphone']
      if (source !== undefined && message.participant === undefined)
        source.muted = message.muted === true
      change(message, { stage: { set: [me], remove: [] } })
    },
    hand: (message) => {
      room.hands = room.hands.filter((id) => id !== 'pme')
      if (message.raised === true) room.hands.push('pme')
      change(message, { hands: room.hands })
    },
    chat: (message) => {
      reply(message)
      room.chatNumber += 1
      const entry = { ...me, number: room.chatNumber, text: message.text, time: Date.now() }
      send({ type: 'chat', entries: [entry] })
    },
    lock: (message) => change(message, { locked: message.locked }),
    emergency: (message) => change(message, { emergency: message.on }),
    roster: (message) => reply(message, rosterPage(message)),
    view: (message) => {
      reply(message)
      send(shown(message))
    },
    'chat-history': (message) => reply(message, { type: 'chat-page', entries: [], more: false }),
    ping: () => send({ type: 'pong' }),
  }
  return async (message: Message): Promise<void> => {
    const handler = handlers[message.type]
    if (handler === undefined) reply(message)
    else await handler(message)
  }
}
