/** The devices of the lobby: opened on request, replaced by choice, handed over to the call or closed. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { DeviceList, DeviceProblem } from '../devices.ts'
import { listDevices, openDevice, rememberedDevices, watchDevices } from '../devices.ts'
import { NO_DEVICE } from './device-picker.tsx'

type Kind = 'camera' | 'microphone'

export type LobbyDevices = {
  tracks: { camera: MediaStreamTrack | undefined; microphone: MediaStreamTrack | undefined }
  chosen: { camera: string; microphone: string }
  problems: { camera: DeviceProblem | undefined; microphone: DeviceProblem | undefined }
  list: DeviceList
  /** The browser is asking the person. */
  waiting: boolean
  asked: boolean
  ask: () => Promise<void>
  choose: (kind: Kind, id: string) => Promise<void>
  /** The tracks belong to the caller from now on. */
  handOver: () => void
}

const NONE = { camera: undefined, microphone: undefined }

export const useLobbyDevices = (immediately: boolean): LobbyDevices => {
  const [tracks, setTracks] = useState<LobbyDevices['tracks']>(NONE)
  const [problems, setProblems] = useState<LobbyDevices['problems']>(NONE)
  const [chosen, setChosen] = useState(rememberedDevices)
  const [list, setList] = useState<DeviceList>({ cameras: [], microphones: [], speakers: [] })
  const [waiting, setWaiting] = useState(false)
  const [asked, setAsked] = useState(false)
  const owned = useRef<LobbyDevices['tracks']>(NONE)
  const gone = useRef(false)

  const open = useCallback(async (kind: Kind, id: string): Promise<void> => {
    owned.current[kind]?.stop()
    const opened = id === NO_DEVICE ? undefined : await openRemembered(kind, id)
    const track = opened !== undefined && 'track' in opened ? opened.track : undefined
    if (gone.current) {
      track?.stop()
      return
    }
    owned.current = { ...owned.current, [kind]: track }
    setTracks(owned.current)
    const problem = opened !== undefined && 'problem' in opened ? opened.problem : undefined
    setProblems((now) => ({ ...now, [kind]: problem }))
    const actual = track?.getSettings().deviceId ?? id
    setChosen((now) => ({ ...now, [kind]: actual }))
  }, [])

  const ask = useCallback(async (): Promise<void> => {
    setAsked(true)
    setWaiting(true)
    const remembered = rememberedDevices()
    // One after the other: two questions at once confuse people, and some browsers.
    await open('microphone', remembered.microphone)
    await open('camera', remembered.camera)
    setWaiting(false)
    setList(await listDevices())
  }, [open])

  useEffect(() => {
    gone.current = false
    if (immediately) void ask()
    const stop = watchDevices(() => void listDevices().then(setList))
    return () => {
      stop()
      gone.current = true
      owned.current.camera?.stop()
      owned.current.microphone?.stop()
    }
  }, [ask, immediately])

  return {
    tracks,
    chosen,
    problems,
    list,
    waiting,
    asked,
    ask,
    choose: open,
    handOver: () => {
      owned.current = NONE
    },
  }
}

/** A remembered device may have been unplugged: then any other will do. */
const openRemembered = async (kind: Kind, id: string): ReturnType<typeof openDevice> => {
  const opened = await openDevice(kind, id)
  if (id === '' || 'track' in opened || opened.problem !== 'missing') return opened
  return openDevice(kind)
}
