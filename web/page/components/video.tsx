/** A picture: a stream or a single track in a video element, always silent (sound has elements of its own). */
import { useEffect, useMemo, useRef } from 'preact/hooks'

type VideoProps = {
  stream: MediaStream | undefined
  mirrored?: boolean
  /** The whole picture with bars (slides), instead of filling the frame (faces). */
  whole?: boolean
  testId?: string
}

export function Video({ stream, mirrored = false, whole = false, testId }: VideoProps) {
  const element = useRef<HTMLVideoElement>(null)
  useEffect(() => {
    const video = element.current
    if (video === null || video.srcObject === (stream ?? null)) return
    video.srcObject = stream ?? null
    // A silent video may play without a gesture; a refusal here only means that it is being replaced.
    if (stream !== undefined) void video.play().catch(() => {})
  }, [stream])
  const classes = ['video', mirrored ? 'mirrored' : '', whole ? 'whole' : '']
  return (
    <video
      ref={element}
      class={classes.filter(Boolean).join(' ')}
      data-testid={testId}
      autoPlay
      playsInline
      muted
      aria-hidden="true"
      tabIndex={-1}
    />
  )
}

/** A stream of one track, new only when the track is. */
export const useTrackStream = (track: MediaStreamTrack | undefined): MediaStream | undefined =>
  useMemo(() => (track === undefined ? undefined : new MediaStream([track])), [track])
