/** Camera, microphone and screen of the browser, and why they do not work, in a closed set of reasons. */

export type DeviceKind = 'camera' | 'microphone' | 'screen'
export type DeviceProblem = 'denied' | 'busy' | 'missing' | 'insecure' | 'failed'
export type Opened = { track: MediaStreamTrack } | { problem: DeviceProblem }

const PROBLEMS: Readonly<Record<string, DeviceProblem>> = {
  NotAllowedError: 'denied',
  SecurityError: 'denied',
  NotReadableError: 'busy',
  AbortError: 'busy',
  NotFoundError: 'missing',
  OverconstrainedError: 'missing',
}

/** Names of DOMExceptions that `getUserMedia` rejects with, W3C mediacapture-main §10.3. */
const problemOf = (error: unknown): DeviceProblem =>
  PROBLEMS[(error as { name?: string } | null)?.name ?? ''] ?? 'failed'

const exactly = (deviceId: string): MediaTrackConstraints =>
  deviceId === '' ? {} : { deviceId: { exact: deviceId } }

const CAMERA: MediaTrackConstraints = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 25, max: 30 },
}
const MICROPHONE: MediaTrackConstraints = {
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
}

/** Opens a device by id, or the browser's default for an empty id. The caller stops the track. */
export const openDevice = async (kind: 'camera' | 'microphone', deviceId = ''): Promise<Opened> => {
  const devices = navigator.mediaDevices
  // Absent outside of secure contexts: http on another host.
  if (devices?.getUserMedia === undefined) return { problem: 'insecure' }
  try {
    const stream = await devices.getUserMedia(
      kind === 'camera'
        ? { video: { ...CAMERA, ...exactly(deviceId) } }
        : { audio: { ...MICROPHONE, ...exactly(deviceId) } },
    )
    const track = stream.getTracks()[0]
    if (track === undefined) return { problem: 'missing' }
    track.contentHint = kind === 'camera' ? 'motion' : 'speech'
    return { track }
  } catch (error) {
    return { problem: problemOf(error) }
  }
}

export const canShareScreen = (): boolean =>
  typeof navigator.mediaDevices?.getDisplayMedia === 'function'

/** `cancelled`: the person closed the browser's picker, which is no problem. */
export const openScreen = async (): Promise<Opened | { problem: 'cancelled' }> => {
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({
      video: { frameRate: { ideal: 10, max: 15 } },
      audio: false,
    })
    const track = stream.getVideoTracks()[0]
    if (track === undefined) return { problem: 'missing' }
    track.contentHint = 'detail'
    return { track }
  } catch (error) {
    const problem = problemOf(error)
    return { problem: problem === 'denied' ? 'cancelled' : problem }
  }
}

export type DeviceChoice = { id: string; label: string }
export type DeviceList = {
  cameras: DeviceChoice[]
  microphones: DeviceChoice[]
  speakers: DeviceChoice[]
}

const NO_DEVICES: DeviceList = { cameras: [], microphones: [], speakers: [] }

/** What is plugged in; labels are empty until a permission was given. */
export const listDevices = async (): Promise<DeviceList> => {
  try {
    const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? []
    const of = (kind: MediaDeviceKind): DeviceChoice[] =>
      devices
        .filter((device) => device.kind === kind && device.deviceId !== '')
        .map(({ deviceId, label }) => ({ id: deviceId, label }))
    return { cameras: of('videoinput'), microphones: of('audioinput'), speakers: of('audiooutput') }
  } catch {
    return NO_DEVICES
  }
}

/** Calls when something is plugged in or out. */
export const watchDevices = (callback: () => void): (() => void) => {
  const devices = navigator.mediaDevices
  devices?.addEventListener?.('devicechange', callback)
  return () => devices?.removeEventListener?.('devicechange', callback)
}

const REMEMBERED = 'nhipcau.devices'
export type Remembered = { camera: string; microphone: string }

/** The devices of last time; empty ids when there was none or the browser keeps nothing. */
export const rememberedDevices = (): Remembered => {
  try {
    const stored = JSON.parse(localStorage.getItem(REMEMBERED) ?? '{}') as Partial<Remembered>
    return { camera: String(stored.camera ?? ''), microphone: String(stored.microphone ?? '') }
  } catch {
    return { camera: '', microphone: '' }
  }
}

export const rememberDevices = (devices: Remembered): void => {
  try {
    localStorage.setItem(REMEMBERED, JSON.stringify(devices))
  } catch {
    // Private windows may refuse; then nothing is remembered.
  }
}
