/**
 * Every text of the page in two languages. An entry without one of them does not compile. Texts of
 * the report itself (scenario, reasons, events) stay as they were written.
 */

export type Language = 'en' | 'vi'
type Entry = Readonly<Record<Language, string>>

const TEXTS = {
  title: { en: 'Bench report', vi: 'Báo cáo thử tải' },
  language: { en: 'Language', vi: 'Ngôn ngữ' },
  skip: { en: 'To the verdict', vi: 'Tới kết luận' },

  'outcome.pass': { en: 'Passed', vi: 'Đạt' },
  'outcome.fail': { en: 'Failed', vi: 'Không đạt' },
  'outcome.unknown': { en: 'Not shown', vi: 'Chưa chứng minh được' },
  'outcome.void': { en: 'Void', vi: 'Vô hiệu' },
  'outcome.interrupted': { en: 'Interrupted', vi: 'Bị ngắt giữa chừng' },
  'outcome.broken': { en: 'The run broke off', vi: 'Lần chạy bị hỏng' },
  'outcome.none': { en: 'No criteria', vi: 'Không có tiêu chí' },
  'says.pass': { en: 'All {count} criteria hold.', vi: 'Cả {count} tiêu chí đều đạt.' },
  'says.fail': {
    en: '{failed} of {count} criteria do not hold.',
    vi: '{failed} trong {count} tiêu chí không đạt.',
  },
  'says.unknown': {
    en: 'None failed, but for {unknown} of {count} criteria a figure was not measured.',
    vi: 'Không tiêu chí nào trượt, nhưng {unknown} trong {count} tiêu chí thiếu số đo.',
  },
  'says.void': {
    en: 'The load generator or the machine was itself too slow: this run says nothing about the server.',
    vi: 'Chính máy đo hoặc bộ tạo tải quá chậm: lần chạy này không nói lên điều gì về máy chủ.',
  },
  'says.interrupted': {
    en: 'Stopped by hand after {took} of {planned}. What follows is what was measured until then.',
    vi: 'Bị dừng bằng tay sau {took} trên {planned}. Dưới đây là những gì đo được đến lúc đó.',
  },
  'says.broken': {
    en: 'It did not come to its end; it says nothing about the criteria.',
    vi: 'Lần chạy không đi đến cuối, nên không kết luận được về các tiêu chí.',
  },
  'says.none': {
    en: 'The scenario asks for nothing; here is what was measured.',
    vi: 'Kịch bản không đặt yêu cầu nào; dưới đây là những gì đo được.',
  },

  whereVoid: {
    en: 'What was seen meanwhile (no blame on the server)',
    vi: 'Những gì ghi nhận được (không quy cho máy chủ)',
  },
  whereFine: { en: 'How the sites did', vi: 'Các điểm cầu ra sao' },
  where: { en: 'Where it went wrong', vi: 'Hỏng ở đâu' },
  nothingWrong: {
    en: 'Every site got in and none complains.',
    vi: 'Mọi điểm cầu đều vào được và không nơi nào gặp lỗi.',
  },
  'trouble.notJoined': {
    en: '{count} of {of} sites did not get in',
    vi: '{count} trong {of} điểm cầu không vào được',
  },
  'trouble.atStep': { en: 'stuck at {step}', vi: 'kẹt ở bước {step}' },
  'trouble.suffering': {
    en: '{count} of {of} sites had trouble',
    vi: '{count} trong {of} điểm cầu gặp trục trặc',
  },
  'trouble.suffering.worst': { en: 'the worst: {why}', vi: 'nặng nhất: {why}' },
  'trouble.link': {
    en: '{way}: {loss} lost, {overflow} found the queue full, waits up to {queue}',
    vi: '{way}: mất {loss}, {overflow} gặp hàng đợi đầy, phải chờ tới {queue}',
  },

  criteria: { en: 'Criteria', vi: 'Tiêu chí' },
  criterion: { en: 'Criterion', vi: 'Tiêu chí' },
  verdict: { en: 'Verdict', vi: 'Kết quả' },
  measured: { en: 'Measured', vi: 'Đo được' },
  notMeasured: { en: 'not measured', vi: 'không đo được' },
  'verdict.pass': { en: 'holds', vi: 'đạt' },
  'verdict.fail': { en: 'fails', vi: 'không đạt' },
  'verdict.void': { en: 'void', vi: 'vô hiệu' },
  'verdict.unknown': { en: 'unknown', vi: 'không rõ' },

  keyFigures: { en: 'At a glance', vi: 'Tổng quan' },
  'key.audioLatency': { en: 'audio latency, p99', vi: 'độ trễ tiếng, p99' },
  'key.videoLatency': { en: 'video latency, p99', vi: 'độ trễ hình, p99' },
  'key.audioLoss': { en: 'of audio lost', vi: 'âm thanh bị mất' },
  'key.concealed': { en: 'of audio had to be filled in', vi: 'âm thanh phải bù' },
  'key.frozen': { en: 'of the time pictures stood still', vi: 'thời gian đứng hình' },
  'key.join': { en: 'to join, p99', vi: 'để vào phòng, p99' },
  'key.cpu': { en: 'CPU of {id} (of one core)', vi: 'CPU của {id} (trên một lõi)' },
  'key.memory': { en: 'memory of {id} at most', vi: 'bộ nhớ cao nhất của {id}' },
  'key.packets': { en: 'packets per CPU-second', vi: 'gói tin mỗi giây CPU' },
  'key.joined': { en: 'sites got in', vi: 'điểm cầu vào được' },

  tree: { en: 'Nodes, sites and their links', vi: 'Các nút, điểm cầu và đường truyền' },
  'nav.tree': { en: 'Links', vi: 'Đường truyền' },
  'nav.sites': { en: 'Sites', vi: 'Điểm cầu' },
  treeHelp: {
    en: 'A line is judged by what happened on it, a box by what its sites saw.',
    vi: 'Đường nối được đánh giá theo những gì xảy ra trên nó, khung theo những gì điểm cầu thấy.',
  },
  'health.good': { en: 'good', vi: 'tốt' },
  'health.strained': { en: 'strained', vi: 'căng' },
  'health.bad': { en: 'bad', vi: 'xấu' },
  'health.idle': { en: 'carried nothing', vi: 'không có dữ liệu' },
  'tree.sites': { en: '{joined} of {sites} in', vi: '{joined}/{sites} vào được' },
  'tree.suffering': { en: '{count} with trouble', vi: '{count} trục trặc' },
  'tree.links': { en: '{count} links', vi: '{count} đường' },
  'tree.bad': { en: '{count} bad', vi: '{count} xấu' },
  'tree.folded': { en: '{count} more', vi: 'còn {count} nhánh' },
  'tree.lost': { en: '{ratio} lost', vi: 'mất {ratio}' },
  'tree.noTree': {
    en: 'No sites, no links: nothing to draw.',
    vi: 'Không có điểm cầu, không có đường truyền: không có gì để vẽ.',
  },
  'kind.core': { en: 'core', vi: 'máy chủ lõi' },
  'kind.relay': { en: 'relay', vi: 'trạm chuyển tiếp' },
  'kind.rival': { en: 'rival', vi: 'hệ thống so sánh' },
  'kind.group': { en: 'sites', vi: 'điểm cầu' },
  'kind.folded': { en: 'folded', vi: 'gộp' },
  'way.down': { en: 'towards the sites', vi: 'về phía điểm cầu' },
  'way.up': { en: 'from the sites', vi: 'từ điểm cầu lên' },

  sites: { en: 'Sites, worst first', vi: 'Điểm cầu, nặng nhất trước' },
  noSites: { en: 'No single sites are told of.', vi: 'Báo cáo này không kể riêng từng điểm cầu.' },
  filter: { en: 'Filter', vi: 'Lọc' },
  filterHint: { en: 'site, group, link or reason', vi: 'điểm cầu, nhóm, đường truyền, lý do' },
  showAll: { en: 'Show all {count}', vi: 'Hiện tất cả {count}' },
  showingOf: { en: '{shown} of {count} shown', vi: 'đang hiện {shown}/{count}' },
  onlyTrouble: { en: 'only with trouble', vi: 'chỉ nơi gặp lỗi' },
  'site.id': { en: 'Site', vi: 'Điểm cầu' },
  'site.group': { en: 'Group', vi: 'Nhóm' },
  'site.link': { en: 'Node, link', vi: 'Nút, đường truyền' },
  'site.joined': { en: 'Got in', vi: 'Vào được' },
  'site.why': { en: 'Why', vi: 'Vì sao' },
  yes: { en: 'yes', vi: 'có' },
  no: { en: 'no', vi: 'không' },
  'step.door': { en: 'opening the connection', vi: 'mở kết nối' },
  'step.join': { en: 'joining the room', vi: 'vào phòng' },
  'step.offer': { en: 'negotiating media', vi: 'thoả thuận kênh truyền' },
  'step.ice': { en: 'finding a path (ICE)', vi: 'tìm đường truyền (ICE)' },
  'step.dtls': { en: 'exchanging keys (DTLS)', vi: 'trao khoá (DTLS)' },

  overTime: { en: 'Over time', vi: 'Diễn biến' },
  overTimeHelp: {
    en: 'Point, or press ← and → on a plot: all plots show the same moment. Drag or + to look closer, Esc for all.',
    vi: 'Rê chuột, hoặc bấm ← → trên một biểu đồ: mọi biểu đồ chỉ cùng một lúc. Kéo hoặc bấm + để phóng to, Esc để xem hết.',
  },
  events: { en: 'What happened', vi: 'Các sự kiện' },
  noEvents: { en: 'Nothing was noted.', vi: 'Không ghi nhận sự kiện nào.' },
  noPlots: {
    en: 'Nothing was measured over time.',
    vi: 'Không có số đo nào theo thời gian.',
  },
  highest: { en: 'max {value}', vi: 'cao nhất {value}' },
  'of.sum': { en: '{count} links, sum', vi: '{count} đường, tổng' },
  'of.highest': { en: '{count} links, highest', vi: '{count} đường, cao nhất' },

  layers: { en: 'Layers that each site saw', vi: 'Lớp hình mà mỗi điểm cầu nhận' },
  layersHelp: {
    en: 'One row a site, time to the right. Choose a row to find the site in the table.',
    vi: 'Mỗi hàng một điểm cầu, thời gian sang phải. Bấm một hàng để tìm điểm cầu đó trong bảng.',
  },
  'layer.absent': { en: 'not there', vi: 'vắng mặt' },
  'layer.none': { en: 'no picture', vi: 'không có hình' },
  'layer.n': { en: 'layer {layer}', vi: 'lớp {layer}' },
  'layers.shares': { en: 'Share of time by group', vi: 'Tỉ lệ thời gian theo nhóm' },

  percentiles: { en: 'Percentiles', vi: 'Phân vị' },
  percentilesHelp: {
    en: 'Merged from histograms, never averaged. At 99 %: one of a hundred took longer.',
    vi: 'Gộp từ biểu đồ tần suất, không lấy trung bình. Tại 99 %: một trong một trăm lâu hơn.',
  },
  'curve.all': { en: 'all', vi: 'tất cả' },
  'curve.count': { en: 'Count', vi: 'Số lần' },
  'curve.max': { en: 'Highest', vi: 'Cao nhất' },

  figures: { en: 'All figures', vi: 'Mọi số liệu' },
  figure: { en: 'Figure', vi: 'Số liệu' },
  value: { en: 'Value', vi: 'Giá trị' },

  about: { en: 'The run', vi: 'Về lần chạy' },
  'about.scenario': { en: 'Scenario', vi: 'Kịch bản' },
  'about.seed': { en: 'Seed', vi: 'Hạt giống' },
  'about.started': { en: 'Started', vi: 'Bắt đầu' },
  'about.took': { en: 'Took', vi: 'Kéo dài' },
  'about.ofPlanned': { en: '{took} of {planned}', vi: '{took} trên {planned}' },
  'about.machine': { en: 'Machine', vi: 'Máy' },
  'about.cores': { en: '{cores} cores, {memory}', vi: '{cores} lõi, {memory}' },
  'about.others': { en: 'Taken by others', vi: 'Chương trình khác chiếm' },
  'about.othersCores': { en: '{cores} cores', vi: '{cores} lõi' },
  'about.commit': { en: 'Commit', vi: 'Phiên bản mã' },
  'about.dirty': { en: 'with changes not committed', vi: 'có thay đổi chưa ghi nhận' },
  'about.yaml': { en: 'The scenario as it was run', vi: 'Kịch bản đã chạy' },
  processes: { en: 'Processes', vi: 'Các tiến trình' },
  'process.id': { en: 'Process', vi: 'Tiến trình' },
  'process.role': { en: 'For', vi: 'Vai trò' },
  'process.cpu': { en: 'CPU time', vi: 'Thời gian CPU' },
  'process.share': { en: 'Of one core', vi: 'Trên một lõi' },
  'process.memory': { en: 'Memory at most', vi: 'Bộ nhớ cao nhất' },
  'process.slope': { en: 'Growth a minute', vi: 'Tăng mỗi phút' },
  'role.node': { en: 'node', vi: 'nút' },
  'role.load': { en: 'load', vi: 'tạo tải' },
  'role.link': { en: 'link', vi: 'đường truyền' },
  'role.browser': { en: 'browser', vi: 'trình duyệt' },
  'notes.title': { en: 'How to read this page', vi: 'Cách đọc trang này' },
  'notes.health': {
    en: 'A link is bad above {overflowBad} of datagrams that found its queue full, {lossBad} lost in all, or a wait of {queueBad}; strained above {overflow}, {loss}, {queue}. A group is bad when a site did not get in or more than {suffering} of its sites had trouble; strained when any had.',
    vi: 'Đường truyền là xấu khi quá {overflowBad} gói gặp hàng đợi đầy, mất quá {lossBad}, hoặc phải chờ {queueBad}; căng khi quá {overflow}, {loss}, {queue}. Nhóm là xấu khi có điểm cầu không vào được hoặc quá {suffering} gặp trục trặc; căng khi có nơi gặp trục trặc.',
  },
  'notes.report': {
    en: 'report.json beside this page has everything, unthinned.',
    vi: 'Tệp report.json bên cạnh trang này có đầy đủ số liệu, không lược bớt.',
  },
  thinnedPoints: {
    en: 'Lines are thinned to {kept} points: each pair shows the lowest and the highest of its time.',
    vi: 'Đường biểu diễn được rút còn {kept} điểm: mỗi cặp là mức thấp nhất và cao nhất của khoảng đó.',
  },
  thinnedLinks: {
    en: '{kept} of {of} links, the worst, have lines of their own; all are drawn together by group.',
    vi: '{kept} trong {of} đường truyền, những đường xấu nhất, được vẽ riêng; tất cả được vẽ gộp theo nhóm.',
  },
  thinnedLines: {
    en: 'Of plots with more than {kept} lines (up to {of}) the highest are drawn.',
    vi: 'Biểu đồ có hơn {kept} đường (tới {of}) chỉ vẽ những đường cao nhất.',
  },
  thinnedSites: {
    en: '{kept} of {of} sites, the worst, are in the table.',
    vi: 'Bảng có {kept} trong {of} điểm cầu, những nơi nặng nhất.',
  },
  thinnedRows: {
    en: '{kept} of {of} sites, those that saw least, are in the picture of layers.',
    vi: 'Hình các lớp có {kept} trong {of} điểm cầu, những nơi nhận kém nhất.',
  },
  thinnedEvents: {
    en: 'The first {kept} of {of} events are shown.',
    vi: 'Chỉ hiện {kept} sự kiện đầu trong {of}.',
  },

  comparison: { en: 'Comparison', vi: 'So sánh' },
  'compare.ratio': { en: 'B / A', vi: 'B / A' },
  'compare.noise': { en: 'Noise?', vi: 'Do ngẫu nhiên?' },
  'compare.verdict.noise': { en: 'within noise', vi: 'trong mức ngẫu nhiên' },
  'compare.verdict.differs': { en: 'differs', vi: 'khác nhau' },
  'compare.verdict.same': { en: 'same', vi: 'như nhau' },
  'compare.verdict.unknown': { en: 'cannot tell', vi: 'chưa kết luận được' },
  'compare.runs': { en: 'Runs', vi: 'Các lần chạy' },
  'compare.warning': { en: 'Compare with care', vi: 'So sánh cần thận trọng' },

  'plot.link.down.bitrate': {
    en: 'Links: bitrate to sites',
    vi: 'Đường truyền: tốc độ về điểm cầu',
  },
  'plot.link.up.bitrate': {
    en: 'Links: bitrate from sites',
    vi: 'Đường truyền: tốc độ từ điểm cầu',
  },
  'plot.link.down.loss': { en: 'Links: loss to sites', vi: 'Đường truyền: mất gói về điểm cầu' },
  'plot.link.up.loss': { en: 'Links: loss from sites', vi: 'Đường truyền: mất gói từ điểm cầu' },
  'plot.link.down.queue': {
    en: 'Links: queue to sites',
    vi: 'Đường truyền: chờ hàng đợi về điểm cầu',
  },
  'plot.link.up.queue': {
    en: 'Links: queue from sites',
    vi: 'Đường truyền: chờ hàng đợi từ điểm cầu',
  },
  'plot.process.cpu': {
    en: 'CPU by process (100 % is one core)',
    vi: 'CPU từng tiến trình (100 % là một lõi)',
  },
  'plot.process.memory': { en: 'Memory by process', vi: 'Bộ nhớ từng tiến trình' },
  'plot.process.handles': { en: 'Open files and sockets', vi: 'Tệp và cổng đang mở' },
  'plot.process.threads': { en: 'Threads', vi: 'Luồng' },
  'plot.sites': { en: 'Sites', vi: 'Điểm cầu' },
  'plot.loss.ratio': { en: 'Loss seen by sites', vi: 'Mất gói mà điểm cầu thấy' },
  'plot.loss.audio.ratio': {
    en: 'Audio loss seen by sites',
    vi: 'Mất gói âm thanh mà điểm cầu thấy',
  },
  'plot.concealed.ratio': { en: 'Sound that had to be filled in', vi: 'Âm thanh phải bù' },
  'plot.frozen.ratio': {
    en: 'Share of time that pictures stood still',
    vi: 'Tỉ lệ thời gian đứng hình',
  },
  'plot.receivedBps': { en: 'Bitrate received by sites', vi: 'Tốc độ điểm cầu nhận' },
  'plot.sentBps': { en: 'Bitrate sent by sites', vi: 'Tốc độ điểm cầu gửi' },
  'plot.latency.audio.p50Ms': { en: 'Audio latency, median', vi: 'Độ trễ tiếng, trung vị' },
  'plot.latency.audio.p99Ms': { en: 'Audio latency, p99', vi: 'Độ trễ tiếng, p99' },
  'plot.latency.video.p50Ms': { en: 'Video latency, median', vi: 'Độ trễ hình, trung vị' },
  'plot.latency.video.p99Ms': { en: 'Video latency, p99', vi: 'Độ trễ hình, p99' },
  'plot.load:ms': { en: 'Lateness of the load itself', vi: 'Bộ tạo tải chậm bao nhiêu' },
  'plot.load:ratio': { en: 'CPU of the load', vi: 'CPU của bộ tạo tải' },
  'plot.forward.packetsPerSecond': { en: 'Packets sent by nodes', vi: 'Gói tin các nút gửi' },
  'plot.drops.packetsPerSecond': { en: 'Packets dropped by nodes', vi: 'Gói tin các nút bỏ' },
  'plot.machine': { en: 'CPU taken by others', vi: 'CPU bị chương trình khác chiếm' },
  'unit.perSecond': { en: '/s', vi: '/giây' },

  'word.all': { en: 'all', vi: 'tất cả' },
  'word.steps': { en: 'by step', vi: 'từng bước' },
  'word.firstSound': { en: 'first sound', vi: 'tiếng đầu tiên' },
  'word.firstPicture': { en: 'first picture', vi: 'hình đầu tiên' },
  'word.othersCores': { en: 'other programs', vi: 'chương trình khác' },
  'word.stealCores': { en: 'the host', vi: 'máy chủ vật lý' },
  'word.latenessMaxMs': { en: 'longest', vi: 'lâu nhất' },
  'word.cpuShare': { en: 'of its core', vi: 'trên lõi của nó' },
  'word.audio': { en: 'audio', vi: 'âm thanh' },
  'word.video': { en: 'video', vi: 'hình' },
  'word.latency': { en: 'latency', vi: 'độ trễ' },
  'word.loss': { en: 'loss', vi: 'mất gói' },
  'word.bitrate': { en: 'bitrate', vi: 'tốc độ' },
  'word.join': { en: 'time to join', vi: 'thời gian vào' },
  'word.joins': { en: 'joins', vi: 'lượt vào' },
  'word.sites': { en: 'sites', vi: 'điểm cầu' },
  'word.joined': { en: 'joined', vi: 'đã vào' },
  'word.failed': { en: 'failed', vi: 'thất bại' },
  'word.planned': { en: 'planned', vi: 'dự kiến' },
  'word.resync': { en: 'time to hear again', vi: 'thời gian nghe lại' },
  'word.load': { en: 'load', vi: 'tạo tải' },
  'word.door': { en: 'door', vi: 'kết nối' },
  'word.received': { en: 'received', vi: 'nhận' },
  'word.sent': { en: 'sent', vi: 'gửi' },
  'word.ratio': { en: 'ratio', vi: 'tỉ lệ' },

  'column.audioLossRatio': { en: 'Audio lost', vi: 'Mất tiếng' },
  'column.concealedRatio': { en: 'Audio filled in', vi: 'Tiếng phải bù' },
  'column.audioGapMaxMs': { en: 'Longest silence', vi: 'Im lặng dài nhất' },
  'column.frozenRatio': { en: 'Frozen', vi: 'Đứng hình' },
  'column.frozenMaxMs': { en: 'Longest freeze', vi: 'Đứng hình lâu nhất' },
  'column.videoLossRatio': { en: 'Video lost', vi: 'Mất hình' },
  'column.audioLatencyP99Ms': { en: 'Audio latency p99', vi: 'Trễ tiếng p99' },
  'column.videoLatencyP99Ms': { en: 'Video latency p99', vi: 'Trễ hình p99' },
  'column.resyncAudioMs': { en: 'Heard again after', vi: 'Nghe lại sau' },
  'column.resyncVideoMs': { en: 'Seen again after', vi: 'Thấy lại sau' },
  'column.layerMean': { en: 'Mean layer', vi: 'Lớp trung bình' },
  'column.receivedBps': { en: 'Received', vi: 'Nhận được' },
  'column.framesComplete': { en: 'Frames whole', vi: 'Khung hình đủ' },
  'column.firstSoundMs': { en: 'First sound', vi: 'Tiếng đầu tiên' },
  'column.joinMs': { en: 'Join', vi: 'Vào trong' },
} as const satisfies Readonly<Record<string, Entry>>

export type TextKey = keyof typeof TEXTS
export type TextValues = Readonly<Record<string, string | number>>

let languageNow: Language = 'vi'

/** The first of `preferred` that we have; Vietnamese when there is none. */
export function chooseLanguage(preferred: readonly string[]): Language {
  const found = preferred.map((tag) => tag.toLowerCase().split('-')[0])
  return found.find((tag) => tag === 'vi' || tag === 'en') === 'en' ? 'en' : 'vi'
}

/** Sets the language of every text from here on. */
export function setLanguage(language: Language): void {
  languageNow = language
}

/** The language that texts are in. */
export function currentLanguage(): Language {
  return languageNow
}

/** A text with `{name}` replaced by its value. */
export function say(key: TextKey, values: TextValues = {}): string {
  return TEXTS[key][languageNow].replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? String(values[name]) : whole,
  )
}

/** The text of a key that depends on the report, or `otherwise` when there is none. */
export function sayOr(key: string, otherwise: string): string {
  return Object.hasOwn(TEXTS, key) ? say(key as TextKey) : otherwise
}
