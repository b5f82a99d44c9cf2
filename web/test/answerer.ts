/**
 * The other end of a page's connection, inside of a second page of the same browser: answers the offer with drawn
 * pictures and a tone. For looking at the page only. `answerOffer` is sent to the browser as text: it must be whole.
 */
import type { SectionUse } from '../sdk/messages.ts'

export const answerOffer = async (offer: {
  sdp: string
  sections: SectionUse[]
}): Promise<string> => {
  const picture = (hue: number): MediaStreamTrack => {
    const canvas = document.createElement('canvas')
    canvas.width = 640
    canvas.height = 360
    const context = canvas.getContext('2d') as CanvasRenderingContext2D
    let frame = 0
    setInterval(() => {
      frame += 1
      const sky = context.createLinearGradient(0, 0, 0, 360)
      sky.addColorStop(0, `hsl(${hue} 30% 62%)`)
      sky.addColorStop(1, `hsl(${hue} 34% 32%)`)
      context.fillStyle = sky
      context.fillRect(0, 0, 640, 360)
      context.fillStyle = `hsl(${hue + 20} 30% 84%)`
      context.beginPath()
      context.arc(320, 150 + 3 * Math.sin(frame / 9), 66, 0, 7)
      context.fill()
      context.beginPath()
      context.ellipse(320, 370, 150, 140, 0, 0, 7)
      context.fill()
    }, 66)
    return canvas.captureStream(15).getVideoTracks()[0] as MediaStreamTrack
  }
  const tone = (): MediaStreamTrack => {
    const context = new AudioContext()
    const oscillator = context.createOscillator()
    const gain = context.createGain()
    gain.gain.value = 0.05
    const destination = context.createMediaStreamDestination()
    oscillator.connect(gain).connect(destination)
    oscillator.start()
    return destination.stream.getAudioTracks()[0] as MediaStreamTrack
  }
  const connection = new RTCPeerConnection()
  const kept = globalThis as unknown as { connections?: RTCPeerConnection[] }
  kept.connections = [...(kept.connections ?? []), connection]
  await connection.setRemoteDescription({ type: 'offer', sdp: offer.sdp })
  const sent = new Set(['audio', 'main', 'tile'])
  let hue = 20
  for (const transceiver of connection.getTransceivers()) {
    const use = offer.sections.find((section) => section.mid === transceiver.mid)?.use
    if (use === undefined || !sent.has(use)) continue
    hue += 47
    await transceiver.sender.replaceTrack(use === 'audio' ? tone() : picture(hue))
    transceiver.direction = 'sendonly'
  }
  await connection.setLocalDescription(await connection.createAnswer())
  await new Promise<void>((resolve) => {
    if (connection.iceGatheringState === 'complete') resolve()
    connection.onicegatheringstatechange = () => {
      if (connection.iceGatheringState === 'complete') resolve()
    }
  })
  return connection.localDescription?.sdp ?? ''
}
