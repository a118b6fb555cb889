// What another process of this machine has used, as /proc tells it.

import Foundation

struct ProcessUsage {
  let process: Int32

  /// Processor seconds of all its threads so far, in user and kernel mode, in steps of 10 ms; nil when it has gone.
  var cpuSeconds: Double? {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
      // The program's name stands in brackets and may hold anything.
      let fields = text.lastIndex(of: ")").map({ text[$0...].split(separator: " ") }), fields.count > 13,
      let user = Double(fields[12]), let system = Double(fields[13])
    else { return nil }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// The most bytes that it ever had in memory; nil when it has gone.
  var peakResidentBytes: Int? { kilobytes("VmHWM:").map { $0 * 1024 } }

  private func kilobytes(_ name: String) -> Int? {
    guard let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8) else { return nil }
    for line in status.split(separator: "\n") where line.hasPrefix(name) {
      return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
    }
    return nil
  }
}
