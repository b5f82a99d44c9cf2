/**
 * The tree of nodes and groups of sites as inline SVG, from left to right; lines and boxes say how
 * they did by colour, stroke and sign.
 */
import type { TreeEdge, TreeNode } from '../page-model.ts'
import { say, sayOr } from './dictionary.ts'
import { h, s, section } from './dom.ts'
import { amount, number, sign } from './wording.ts'

const BOX_WIDTH = 190
const BOX_HEIGHT = 62
const ROW = 86
const GAP_MIN = 220
const GAP_MAX = 380
/** What the page takes at both sides of the picture. */
const AROUND = 110
const PAGE_WIDTH_MAX = 1320
const MARGIN = 6
/** Width of the curve at the beginning of a line. */
const BEND = 44
/** Characters that fit into a box. */
const NAME_LENGTH_MAX = 22

type Placed = { node: TreeNode; depth: number; row: number; children: Placed[] }

/** The section with the picture and what its signs mean. */
export function treeView(tree: TreeNode | undefined): HTMLElement {
  if (tree === undefined) return section('tree', say('tree'), h('p', {}, say('tree.noTree')))
  const rows = { next: 0 }
  const placed = place(tree, 0, rows)
  const depth = depthOf(placed)
  const gap = gapFor(depth)
  const width = MARGIN * 2 + BOX_WIDTH + depth * (BOX_WIDTH + gap)
  const height = MARGIN * 2 + rows.next * ROW - (ROW - BOX_HEIGHT)
  const picture = s(
    'svg',
    { viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': say('tree') },
    ...edges(placed, gap),
    ...boxes(placed, gap),
  )
  const frame = h('div', { class: 'tree-frame', tabindex: 0 }, picture)
  return section('tree', say('tree'), h('p', { class: 'help' }, say('treeHelp')), legend(), frame)
}

function legend(): HTMLElement {
  const words = ['good', 'strained', 'bad', 'idle'] as const
  const items = words.map((word) =>
    h(
      'li',
      { class: `health is-${word}` },
      s('svg', { width: 34, height: 10 }, s('path', { class: `edge is-${word}`, d: 'M1 5H33' })),
      `${sign(word)} ${say(`health.${word}`)}`,
    ),
  )
  return h('ul', { class: 'keys' }, ...items)
}

function place(node: TreeNode, depth: number, rows: { next: number }): Placed {
  const children = node.children.map((child) => place(child, depth + 1, rows))
  const first = children[0]
  const last = children.at(-1)
  if (first === undefined || last === undefined) {
    rows.next += 1
    return { node, depth, row: rows.next - 1, children }
  }
  return { node, depth, row: (first.row + last.row) / 2, children }
}

function depthOf({ depth, children }: Placed): number {
  return Math.max(depth, ...children.map(depthOf))
}

/** As wide as the window has room for. */
function gapFor(depth: number): number {
  const room = Math.min(innerWidth, PAGE_WIDTH_MAX) - AROUND - (depth + 1) * BOX_WIDTH
  return Math.min(GAP_MAX, Math.max(GAP_MIN, Math.floor(room / Math.max(1, depth))))
}

function corner({ depth, row }: Placed, gap: number): { x: number; y: number } {
  return { x: MARGIN + depth * (BOX_WIDTH + gap), y: MARGIN + row * ROW }
}

function edges(parent: Placed, gap: number): SVGElement[] {
  const from = corner(parent, gap)
  return parent.children.flatMap((child) => {
    const to = corner(child, gap)
    const [x1, y1] = [from.x + BOX_WIDTH, from.y + BOX_HEIGHT / 2]
    const [x2, y2] = [to.x, to.y + BOX_HEIGHT / 2]
    const bend = x1 + BEND
    const path = `M${x1} ${y1}C${bend} ${y1} ${x1} ${y2} ${bend} ${y2}L${x2} ${y2}`
    const { edge } = child.node
    const health = edge === undefined ? 'plain' : edge.health
    return [
      s('path', { class: `edge is-${health}`, d: path }, titleOf(edge)),
      ...(edge === undefined ? [] : [edgeLabel(edge, { x: x2 - 8, y: y2 })]),
      ...edges(child, gap),
    ]
  })
}

function edgeLabel(edge: TreeEdge, { x, y }: { x: number; y: number }): SVGElement {
  const { links, bad, health, profiles } = edge
  const many = links > 1 ? ` · ${say('tree.links', { count: links })}` : ''
  const badText = links > 1 && bad > 0 ? ` · ${say('tree.bad', { count: bad })}` : ''
  const lost = Math.max(edge.lossRatio.down, edge.lossRatio.up)
  return s(
    'g',
    { class: `edge-label is-${health}`, 'text-anchor': 'end' },
    s('text', { x, y: y - 7 }, `${sign(health)} ${short(profiles, 16)}${many}${badText}`),
    s(
      'text',
      { x, y: y + 16, class: 'soft' },
      `↓${amount(edge.meanBps.down, 'bps')} · ${say('tree.lost', { ratio: amount(lost, 'ratio') })}`,
    ),
  )
}

function titleOf(edge: TreeEdge | undefined): SVGElement | null {
  if (edge === undefined) return null
  const way = (name: 'down' | 'up'): string =>
    `${say(`way.${name}`)}: ${amount(edge.meanBps[name], 'bps')}, ${say('tree.lost', {
      ratio: amount(edge.lossRatio[name], 'ratio'),
    })}`
  return s('title', {}, `${edge.profiles}\n${way('down')}\n${way('up')}`)
}

function boxes(placed: Placed, gap: number): SVGElement[] {
  const { node } = placed
  const { x, y } = corner(placed, gap)
  const name = node.kind === 'folded' ? say('tree.folded', { count: node.id }) : node.id
  const counts = say('tree.sites', { joined: number(node.joined), sites: number(node.sites) })
  const isJudged = node.kind === 'group' || node.kind === 'folded'
  const kind = sayOr(`kind.${node.kind}`, node.kind)
  const lines = isJudged
    ? [counts, troubleText(node)]
    : kind === name
      ? [counts, '']
      : [kind, counts]
  const left = isJudged ? 42 : 16
  const box = s(
    'g',
    { class: `box is-${node.kind} health-${node.health}`, transform: `translate(${x} ${y})` },
    s('title', {}, [name, kind, ...lines].join('\n')),
    s('rect', { width: BOX_WIDTH, height: BOX_HEIGHT, rx: isJudged ? BOX_HEIGHT / 2 : 10 }),
    s(
      'text',
      { x: left, y: lines[1] === '' ? 27 : 20, class: 'name' },
      short(name, NAME_LENGTH_MAX),
    ),
    s('text', { x: left, y: lines[1] === '' ? 46 : 37, class: 'soft' }, lines[0]),
    s('text', { x: left, y: 53, class: 'soft trouble-text' }, lines[1]),
    ...(isJudged ? signOf(node) : []),
  )
  return [box, ...placed.children.flatMap((child) => boxes(child, gap))]
}

function troubleText({ suffering }: TreeNode): string {
  return suffering > 0 ? say('tree.suffering', { count: number(suffering) }) : ''
}

function signOf({ health }: TreeNode): SVGElement[] {
  const y = BOX_HEIGHT / 2
  return [
    s('circle', { cx: 23, cy: y, r: 11 }),
    s('text', { x: 23, y: y + 5, class: 'mark', 'text-anchor': 'middle' }, sign(health)),
  ]
}

function short(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax - 1)}…`
}
