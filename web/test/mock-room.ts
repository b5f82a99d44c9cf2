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

export const PEOPLE = 132
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

const createSession = (send: (message: Message) => void, answer: Answer) => {
  let me: StageMember | undefined
  let sections: SectionUse[] = []
  let revision = 1
  let chatNumber = 3
  let hands = ['p9', 'p3']
  const reply = (to: Message, message: Message): void =>
    send({ ...message, ...(to.ref === undefined ? {} : { ref: to.ref }) })
  const room = (change: Record<string, unknown>): void => {
    revision += 1
    send({ type: 'room', revision, ...change })
  }
  const join = (message: Message): void => {
    const {
      name = '',
      site = '',
      role = 'speaker',
      room: name_ = 'demo',
    } = claims(String(message.token))
    me = { participant: 'pme', name, site, role: role as StageMember['role'], sources: {} }
    const onStage = role === 'chair' || role === 'speaker'
    const stage = [0, 1, 2, 3, 4].map(member)
    reply(message, {
      type: 'joined',
      protocol: 1,
      session: 's1',
      secret: 'x',
      resumed: message.resume !== undefined,
      participant: 'pme',
      role,
      name,
      site,
      room: {
        room: name_,
        revision,
        locked: false,
        pin: null,
        counts: { sites: PEOPLE, stage: 6, audience: PEOPLE - 6, hands: 2 },
        stage: onStage ? [...stage, me] : stage,
        hands,
      },
      chat: [0, 1, 2].map((index) => ({
        number: index + 1,
        ...person(index),
        text: [
          'Chào các điểm cầu!',
          'Mường Nhé nghe rõ. <b>không phải HTML</b>',
          'Đồng Văn xin phát biểu sau ạ.',
        ][index],
        time: Date.now() - (3 - index) * 60_000,
      })),
    })
    send({
      type: 'self',
      onStage,
      permitted: onStage ? ['microphone', 'camera', 'screen'] : [],
      muted: { microphone: { self: false, chair: false } },
    })
    send({ type: 'speakers', active: 'p0', heard: ['p0', 'p2'] })
  }
  const slotsAfterOffer = (): void => {
    const main = sections.find((section) => section.use === 'main')
    send({
      type: 'slots',
      slots: [{ mid: main?.mid, participant: 'p0', use: 'camera', state: 'live' }],
    })
    const tile = sections.find((section) => section.use === 'tile')
    const stream = { direction: 'out', bitrateBps: 420_000, rttMs: 48, spatialLayer: 1 }
    send({
      type: 'quality',
      streams: [
        { mid: main?.mid, mark: 'amber', reason: 'bandwidth', lossRatio: 0.01, ...stream },
        { mid: tile?.mid, mark: 'red', reason: 'loss', lossRatio: 0.18, ...stream },
      ],
    })
  }
  const handlers: Record<string, (message: Message) => void | Promise<void>> = {
    join,
    offer: async (message) => {
      sections = message.sections as SectionUse[]
      reply(message, { type: 'answer', sdp: await answer({ sdp: String(message.sdp), sections }) })
      slotsAfterOffer()
    },
    publish: (message) => {
      reply(message, { type: 'ok' })
      if (me === undefined) return
      const use = message.use as 'camera'
      if (message.live === true) me.sources[use] = { muted: false }
      else delete me.sources[use]
      room({ stage: { set: [me], remove: [] } })
    },
    mute: (message) => {
      reply(message, { type: 'ok' })
      const source = me?.sources[message.use as 'microphone']
      if (me === undefined || source === undefined || message.participant !== undefined) return
      source.muted = message.muted === true
      room({ stage: { set: [me], remove: [] } })
    },
    hand: (message) => {
      reply(message, { type: 'ok' })
      hands = hands.filter((id) => id !== 'pme')
      if (message.raised === true) hands = [...hands, 'pme']
      room({ hands })
    },
    chat: (message) => {
      reply(message, { type: 'ok' })
      chatNumber += 1
      const entry = { ...me, number: chatNumber, text: message.text, time: Date.now() }
      send({ type: 'chat', entries: [entry] })
    },
    lock: (message) => {
      reply(message, { type: 'ok' })
      room({ locked: message.locked })
    },
    roster: (message) => {
      const all = Array.from({ length: PEOPLE }, (_, index) => person(index)).filter((one) =>
        `${one.name} ${one.site}`
          .toLowerCase()
          .includes(String(message.search ?? '').toLowerCase()),
      )
      const from = Number(message.cursor ?? 0)
      const until = from + Number(message.limit)
      reply(message, {
        type: 'roster-page',
        members: all.slice(from, until),
        cursor: until < all.length ? String(until) : null,
        total: all.length,
      })
    },
    view: (message) => {
      reply(message, { type: 'ok' })
      const slots = (message.slots as { mid: string; participant?: string; use?: string }[])
        .filter((slot) => slot.participant !== undefined)
        .map((slot) => ({ ...slot, state: 'live' }))
      send({ type: 'slots', slots })
    },
    'chat-history': (message) => reply(message, { type: 'chat-page', entries: [], more: false }),
    ping: () => send({ type: 'pong' }),
  }
  return async (message: Message): Promise<void> => {
    const handler = handlers[message.type]
    if (handler === undefined) reply(message, { type: 'ok' })
    else await handler(message)
  }
}
