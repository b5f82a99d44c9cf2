/**
 * The configuration that Janus is measured with: its defaults, but for what the setting needs. Event loops as many as
 * cores are the fair number for many handles; ICE-lite spares it connectivity checks, as it does us; only the plugin
 * and the transport that are used are loaded. Text only: janus-server.ts writes it down.
 */

/** `address` is the one that Janus listens at and offers. */
export type JanusSetup = {
  address: string
  webSocketPort: number
  eventLoops: number
  room: number
}

/** The libraries that are loaded, by the folder of `folder` that links to them. */
export const JANUS_LIBRARIES = {
  plugins: 'libjanus_videoroom.so',
  transports: 'libjanus_websockets.so',
}

/** Contents by file name, for a configuration folder at `folder`. */
export function janusConfiguration(
  { address, webSocketPort, eventLoops, room }: JanusSetup,
  folder: string,
): Record<string, string> {
  return {
    'janus.jcfg': `general: {
  configs_folder = "${folder}"
  plugins_folder = "${folder}/plugins"
  transports_folder = "${folder}/transports"
  events_folder = "${folder}/events"
  loggers_folder = "${folder}/loggers"
  debug_level = 3
  debug_colors = false
  event_loops = ${eventLoops}
  interface = "${address}"
}
nat: {
  ice_lite = true
  ice_enforce_list = "${address}"
}
`,
    'janus.transport.websockets.jcfg': `general: {
  json = "compact"
  ws = true
  ws_ip = "${address}"
  ws_port = ${webSocketPort}
  wss = false
}
`,
    'janus.plugin.videoroom.jcfg': `room-${room}: {
  description = "bench"
  publishers = 8
  bitrate = 0
  fir_freq = 0
  audiocodec = "opus"
  videocodec = "vp8"
}
`,
  }
}
