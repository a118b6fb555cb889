// How much of this machine this process may use: cores by affinity, control group and Slurm, memory by control group, open
// files. Reads /proc and /sys only.

import Foundation
import Sweeps

/// What is absent is not limited, or is not known.
package struct MachineLimits: Hashable, Sendable {
  /// Cores of the machine.
  package var cores: Int?
  /// Cores that the scheduler of the kernel lets it run on.
  package var affinity: Int
  /// Cores' worth of time that its control groups leave it.
  package var quota: Double?
  /// Cores that Slurm gave its task.
  package var slurm: Int?
  /// Bytes that could be had now.
  package var memory: Int?
  /// Connections and files that it may have open.
  package var files: Int

  package init(
    cores: Int? = nil, affinity: Int, quota: Double? = nil, slurm: Int? = nil, memory: Int? = nil, files: Int
  ) {
    self.cores = cores
    self.affinity = affinity
    self.quota = quota
    self.slurm = slurm
    self.memory = memory
    self.files = files
  }

  /// Resident memory of a worker process at the paper's size is 60 MB; this leaves room for larger models.
  package static let bytesPerSlot = 128 << 20

  /// Whole cores that are really there for it, and so the slots of a worker that was not told how many. A quota of 2.5 is
  /// two: three would wait for each other in every period.
  package var allowedCores: Int {
    max(1, [affinity, wholeQuota, slurm].compactMap { $0 }.min()!)
  }

  private var wholeQuota: Int? { quota.map { Int(min($0, 1_000_000)) } }

  /// What keeps it from the machine's other cores, for people; nil: nothing does.
  package var coresReason: String? {
    guard let cores, allowedCores < cores else { return nil }
    let least = [affinity, wholeQuota, slurm].compactMap { $0 }.min()
    let why =
      if slurm == least {
        "Slurm gave it \(slurm!)"
      } else if affinity == least {
        "its affinity allows \(affinity)"
      } else {
        "its control group leaves it the time of \(Self.number(quota!))"
      }
    return "\(Self.count(allowedCores, "slot")) on \(Self.count(cores, "core")): \(why)"
  }

  package func cores(for slots: Int) -> DoctorCheck.Outcome {
    var words = "\(affinity) by affinity"
    if let quota { words += ", \(Self.number(quota)) by control group" }
    if let slurm { words += ", \(slurm) by Slurm" }
    let allowed = allowedCores
    guard slots <= allowed else {
      return .warning(
        "\(Self.count(slots, "slot")) on \(Self.count(allowed, "core")) (\(words)): they take turns, and each is slower",
        fix: "start workers here with --slots \(allowed)")
    }
    return .ok("\(Self.count(slots, "slot")), \(Self.count(allowed, "core")) allowed (\(words))")
  }

  package func memory(for slots: Int) -> DoctorCheck.Outcome {
    let wanted = slots * Self.bytesPerSlot
    guard let memory else { return .skipped("/proc/meminfo does not say how much there is") }
    let words =
      "\(DoctorDisk.size(memory)) available, \(DoctorDisk.size(wanted)) wanted for \(Self.count(slots, "slot"))"
    guard memory >= wanted else {
      return .warning(words, fix: "start fewer slots here, or ask for more memory: processes may be killed for it")
    }
    return .ok(words)
  }

  package func files(isCoordinating: Bool) -> DoctorCheck.Outcome {
    // A worker process has some dozens; a coordinator one for each worker process besides.
    let wanted = isCoordinating ? 1024 : 256
    guard files >= wanted else {
      return .warning(
        "at most \(files) files may be open" + (isCoordinating ? ", one for each connected worker process" : ""),
        fix: "raise the hard limit (ulimit -Hn, LimitNOFILE= in a systemd unit)")
    }
    return .ok("\(files) may be open")
  }

  private static func number(_ value: Double) -> String {
    value == value.rounded() ? "\(Int(value))" : "\((value * 100).rounded() / 100)"
  }

  private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}

extension MachineLimits {
  package static var here: MachineLimits { read(environment: ProcessInfo.processInfo.environment) }

  /// - Parameter root: what stands before `/proc` and `/sys`.
  package static func read(root: String = "", environment: [String: String]) -> MachineLimits {
    let groups = controlGroups(root)
    return MachineLimits(
      cores: text(root + "/sys/devices/system/cpu/online").flatMap { count(inList: $0) },
      affinity: text(root + "/proc/self/status").flatMap { affinity(in: $0) }
        ?? ProcessInfo.processInfo.activeProcessorCount,
      quota: (groups.map { quota(text($0 + "/cpu.max")) } + quotasOfVersion1(root)).compactMap { $0 }.min(),
      slurm: ["SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"].lazy.compactMap { environment[$0].flatMap { Int($0) } }
        .first { $0 > 0 },
      memory: memory(root, groups), files: FileLimit.hard)
  }

  /// Cores' worth of `cpu.max`: `200000 100000` is 2; nil for `max`, and for no such file.
  package static func quota(_ text: String?) -> Double? {
    let parts = text?.split(whereSeparator: \.isWhitespace).map { Double($0) } ?? []
    guard parts.count == 2, let time = parts[0], let period = parts[1], time > 0, period > 0 else { return nil }
    return time / period
  }

  private static func quotasOfVersion1(_ root: String) -> [Double?] {
    for line in groupLines(root) {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3, parts[1].split(separator: ",").contains("cpu") else { continue }
      return folders(below: "\(root)/sys/fs/cgroup/cpu", parts[2]).map { folder in
        guard let time = text(folder + "/cpu.cfs_quota_us"), let period = text(folder + "/cpu.cfs_period_us") else {
          return nil
        }
        return quota("\(time) \(period)")
      }
    }
    return []
  }

  /// Bytes of a line of /proc/meminfo.
  package static func memory(_ name: String, in text: String) -> Int? {
    for line in text.split(separator: "\n") where line.hasPrefix("\(name):") {
      return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
    }
    return nil
  }

  private static func memory(_ root: String, _ groups: [String]) -> Int? {
    var least = text(root + "/proc/meminfo").flatMap { memory("MemAvailable", in: $0) }
    for group in groups {
      guard let most = text(group + "/memory.max").flatMap({ Int($0) }),
        let used = text(group + "/memory.current").flatMap({ Int($0) })
      else { continue }
      least = min(least ?? .max, max(0, most - used))
    }
    return least
  }

  /// The folders of this process' control group (version 2) and of those around it.
  private static func controlGroups(_ root: String) -> [String] {
    guard let line = groupLines(root).first(where: { $0.hasPrefix("0::/") }) else { return [] }
    return folders(below: root + "/sys/fs/cgroup", line.dropFirst("0::".count))
  }

  private static func groupLines(_ root: String) -> [Substring] {
    text(root + "/proc/self/cgroup")?.split(separator: "\n") ?? []
  }

  /// `top`, and every folder below it on the way of `path`.
  private static func folders(below top: String, _ path: Substring) -> [String] {
    var folders = [top]
    for part in path.split(separator: "/") { folders.append(folders.last! + "/" + part) }
    return folders
  }

  /// Cores of `Cpus_allowed_list: 0-3,8` in /proc/self/status: 5.
  package static func affinity(in status: String) -> Int? {
    guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed_list:") }) else {
      return nil
    }
    return count(inList: line.drop(while: { $0 != ":" }).dropFirst())
  }

  /// Of `0-3,8`: 5.
  private static func count(inList list: some StringProtocol) -> Int? {
    var count = 0
    for range in list.split(separator: ",") {
      let ends = range.split(separator: "-").map { Int($0.trimmingCharacters(in: .whitespaces)) }
      guard let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last else { return nil }
      count += last - first + 1
    }
    return count > 0 ? count : nil
  }

  /// Without white space at its ends; nil for what cannot be read.
  private static func text(_ path: String) -> String? {
    FileManager.default.contents(atPath: path).map {
      String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
  }
}
