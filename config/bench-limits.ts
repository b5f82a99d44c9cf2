/**
 * The bounds of bench/, by folder; the rest of config/limits.ts, by whose name they are imported.
 */

// ---- bench/link -------------------------------------------------------------------------------------------

/** Packets and bytes on their way in one direction of an emulated link, its queue included. */
export const LINE_FLIGHTS_MAX = 65_536
export const LINE_FLIGHT_BYTES_MAX = 64 * 1024 * 1024
/** Changes of one timetable. */
export const TIMETABLE_CHANGES_MAX = 10_000
/** UDP flows and TCP connections of one mapping; mappings of one emulator. */
export const LINE_FLOWS_MAX = 4_096
export const LINE_CONNECTIONS_MAX = 2_048
export const LINE_MAPPINGS_MAX = 64
/** Datagrams that the kernel has not taken yet from one socket of the emulator; beyond it they are dropped. */
export const LINE_SEND_QUEUE_MAX = 256
/** Bytes of one direction of a TCP connection: taken and not yet sent, unacknowledged, and not yet read by the end. */
export const STREAM_UNSENT_BYTES_MAX = 128 * 1024
export const STREAM_WINDOW_BYTES_MAX = 512 * 1024
export const STREAM_UNREAD_BYTES_MAX = 256 * 1024
/** Transmissions of one segment before its connection is given up. */
export const STREAM_TRIES_MAX = 15
/** Rows of a time series after which its buckets become twice as wide. */
export const SERIES_ROWS_PER_WIDTH = 18_000

// ---- bench/report -----------------------------------------------------------------------------------------

/** Bytes of one report that is read (an hour's soak of 1,000 sites has about 20 MB), and of its page. */
export const REPORT_BYTES_MAX = 256 * 1024 * 1024
export const REPORT_PAGE_BYTES_MAX = 5 * 1024 * 1024
/** Entries of a report's lists: sites, links, processes, nodes, series, criteria, events, names of a record. */
export const REPORT_ENTRIES_MAX = 20_000
/** Samples of one series. */
export const REPORT_SAMPLES_MAX = 200_000
/** UTF-16 units of one text, and of the scenario's YAML. */
export const REPORT_TEXT_LENGTH_MAX = 4_096
export const REPORT_YAML_LENGTH_MAX = 256 * 1024
/** Bytes of one histogram, as base64 and unpacked. */
export const REPORT_HISTOGRAM_BYTES_MAX = 512 * 1024
export const REPORT_HISTOGRAM_UNPACKED_BYTES_MAX = 8 * 1024 * 1024
/** Points of one line on the page, and links and processes that have lines of their own; more are thinned. */
export const REPORT_PLOT_POINTS_MAX = 600
export const REPORT_PLOT_LINKS_MAX = 12
/** Reports that one `compare` takes. */
export const COMPARE_RUNS_MAX = 16

// ---- bench/site -------------------------------------------------------------------------------------------

/** Streams (SSRCs) that one synthetic site counts; packets of more count as bytes only. */
export const SITE_STREAMS_MAX = 80
/** Datagrams that wait until a site's receiving end is set up. */
export const SITE_EARLY_DATAGRAMS_MAX = 512
/** Frames of one received stream that can still become whole; a power of two. */
export const SITE_FRAMES_KEPT = 64
/** Packets of one sent layer that can be sent over again; a power of two. */
export const SITE_RESENDS_KEPT = 512
/** Packets of one publisher that wait for their turn; more leave at once. */
export const SITE_PACED_PACKETS_MAX = 2_048

// ---- bench/load -------------------------------------------------------------------------------------------

/** Groups and sites that one load process plays. */
export const LOAD_GROUPS_MAX = 256
export const LOAD_SITES_MAX = 10_000
/** Browser sites of one load process: each costs a core while it decodes. */
export const LOAD_CHROMIUM_SITES_MAX = 8
/** Rows of a time series of the load; then every second one is left out and rows are twice as far apart. */
export const LOAD_SERIES_ROWS_MAX = 7_200
/** What single sites say of themselves (lost, came back) and is told on; the rest is in their figures. */
export const LOAD_SITE_EVENTS_MAX = 100
/** Sites in the heat map of layers; more are thinned out evenly. */
export const LOAD_LAYER_ROWS_MAX = 200

// ---- bench/run --------------------------------------------------------------------------------------------

/** Bytes that a run keeps of what one of its processes says. */
export const BENCH_LOG_BYTES_MAX = 16 * 1024 * 1024
/** Samples of one series of a process or a line; then every second one is left out and they are twice as far apart. */
export const BENCH_SAMPLES_MAX = 7_200
/** Lines of the emulator in one process: each is a few timers and two sockets. */
export const BENCH_LINES_MAX = 2_048
/** Runs of one command (`--repeat`). */
export const BENCH_REPEAT_MAX = 100

// ---- bench/scenario ---------------------------------------------------------------------------------------

/** A scenario's file, and what it may hold. */
export const SCENARIO_BYTES_MAX = 256 * 1024
export const SCENARIO_NODES_MAX = 64
export const SCENARIO_LINKS_MAX = 64
export const SCENARIO_GROUPS_MAX = 64
export const SCENARIO_SITES_MAX = 20_000
export const SCENARIO_FAULTS_MAX = 1_000
export const SCENARIO_CRITERIA_MAX = 200
/** Sites that have a line of their own: each costs the emulator a UDP and a TCP door. */
export const SCENARIO_OWN_LINES_MAX = 256
export const SCENARIO_DURATION_S_MAX = 14 * 24 * 3600
export const SCENARIO_REPEAT_MAX = 100
/** One criterion: its text, and how deep it nests. */
export const EXPRESSION_CHARS_MAX = 1_000
export const EXPRESSION_DEPTH_MAX = 32
