// The page that `bench coordination` prints for people.

extension CoordinationBenchReport {
  package var page: String { [head, table.text, foot].joined(separator: "\n\n") }

  private var head: String {
    let load = loadAverageBefore.map { ", load average before \(Wording.fixed($0, digits: 1))" } ?? ""
    return """
      groksweep \(build), one coordinator on \(cpu) (\(Wording.count(cores, "core"))\(load)), workers that return at once, TCP
      store of \(Wording.grouped(store.points)) points on \(fileSystem ?? "an unknown file system"), where 4 KiB with \
      fsync take \(Wording.fixed(msPerSync, digits: 2)) ms; medians of \(rounds) rounds of \(Wording.plain(secondsPerRound)) s
      """
  }

  private var table: TextTable {
    var table = TextTable([
      ("workers", .right), ("points/s", .right), ("µs per point", .right), ("coordinator's CPU, µs per point", .right),
    ])
    for rate in rates {
      table.append([
        Wording.grouped(rate.workers), Wording.grouped(Int(rate.pointsPerSecond.rounded())),
        Wording.grouped(Int(rate.usPerPoint.rounded())), Wording.grouped(Int(rate.coordinatorCPUUsPerPoint.rounded())),
      ])
    }
    return table
  }

  private var foot: String {
    var lines = [
      "\(Wording.grouped(heartbeat.workers)) workers that hold a point and report every second: "
        + "\(Wording.share(heartbeat.shareOfCore)) of a core at the coordinator.",
      "Registering the points: \(Wording.duration(seconds: store.registrationSeconds)). A coordinator on them listens after "
        + "\(Wording.duration(seconds: store.startSeconds)).",
      "`groksweep status`: \(Wording.fixed(store.statusMs, digits: 1)) ms, "
        + "\(Wording.fixed(store.statusQueryMs, digits: 1)) ms of which read the store.",
    ]
    if let bytes = store.peakResidentBytes {
      let registering = store.registrationPeakResidentBytes.map {
        ", \(Wording.grouped($0 / 1_000_000)) MB in the one that registered the points"
      }
      lines.append(
        "Memory: \(Wording.grouped(bytes / 1_000_000)) MB resident at most in the coordinator\(registering ?? "").")
    }
    return lines.joined(separator: "\n")
  }
}
