/** How loud a microphone is, for meters and for the hint "you are muted". Sends nothing anywhere. */

export type LevelMeter = { stop(): void }

let shared: AudioContext | undefined

/** 0 (silent) to 1 (loud) for an RMS amplitude: -60 dB to -6 dB on a straight line. */
export const levelOf = (rms: number): number => {
  if (rms <= 0) return 0
  const db = 20 * Math.log10(rms)
  return Math.min(1, Math.max(0, (db + 60) / 54))
}

/** Calls back about 15 times a second with 0..1 until stopped. A disabled track measures 0. */
export const measureLevel = (
  track: MediaStreamTrack,
  callback: (level: number) => void,
): LevelMeter => {
  shared ??= new AudioContext()
  const context = shared
  void context.resume()
  const source = context.createMediaStreamSource(new MediaStream([track]))
  const analyser = context.createAnalyser()
  analyser.fftSize = 1024
  source.connect(analyser)
  const samples = new Float32Array(analyser.fftSize)
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples)
    let sum = 0
    for (const sample of samples) sum += sample * sample
    callback(levelOf(Math.sqrt(sum / samples.length)))
  }, 66)
  return {
    stop: () => {
      clearInterval(timer)
      source.disconnect()
    },
  }
}
