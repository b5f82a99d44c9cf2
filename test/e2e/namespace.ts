/** A network namespace joined to this host by a veth pair whose downlink can be squeezed with `tc tbf`. */
import { execFileSync } from 'node:child_process'
import type { ExecutionContext } from 'ava'

export type Namespace = {
  name: string
  /** Address of this host as the namespace sees it. */
  hostAddress: string
  /** Limits what the namespace receives; undefined lifts the limit. */
  squeeze: (rateKbps: number | undefined) => void
}

/** `number` 1..200 chooses addresses 10.203.N.1 (host) and .2 (inside), so that tests can run side by side. */
export function createNamespace(t: ExecutionContext<unknown>, number: number): Namespace {
  const name = `nhipcau-${process.pid}-${number}`
  const outside = `nc${process.pid % 100_000}o${number}`
  const inside = `nc${process.pid % 100_000}i${number}`
  const hostAddress = `10.203.${number}.1`
  const ip = (...args: string[]) => execFileSync('ip', args)
  ip('netns', 'add', name)
  t.teardown(() => {
    ip('netns', 'del', name)
  })
  ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', name)
  ip('addr', 'add', `${hostAddress}/30`, 'dev', outside)
  ip('link', 'set', outside, 'up')
  ip('-n', name, 'addr', 'add', `10.203.${number}.2/30`, 'dev', inside)
  ip('-n', name, 'link', 'set', inside, 'up')
  ip('-n', name, 'link', 'set', 'lo', 'up')
  ip('-n', name, 'route', 'add', 'default', 'via', hostAddress)
  const squeeze = (rateKbps: number | undefined): void => {
    const device = ['dev', outside, 'root']
    if (rateKbps === undefined) {
      execFileSync('tc', ['qdisc', 'del', ...device])
      return
    }
    const shape = ['rate', `${rateKbps}kbit`, 'burst', '8kb', 'latency', '250ms']
    execFileSync('tc', ['qdisc', 'replace', ...device, 'tbf', ...shape])
  }
  return { name, hostAddress, squeeze }
}
