import Cluster
import Foundation
import Sweeps
import Testing

@Suite struct MachineLimitsTests {
  @Test(arguments: [
    ("200000 100000", 2.0), ("150000 100000\n", 1.5), ("max 100000", nil), ("-1 100000", nil), ("", nil), (nil, nil),
  ])
  func `a control group's quota is cores' worth of time`(text: String?, cores: Double?) {
    #expect(MachineLimits.quota(text) == cores)
  }

  @Test(arguments: [("0-3,8", 5), ("0", 1), ("1,3,5-6", 4), ("", nil), ("x", nil), ("3-1", nil)])
  func `cores are counted in the list of those that are allowed`(list: String, count: Int?) {
    #expect(MachineLimits.affinity(in: "Name:\tx\nCpus_allowed_list:\t\(list)\nMems_allowed:\t1\n") == count)
  }

  @Test func `available memory is read in bytes`() {
    let text = "MemTotal:       16303244 kB\nMemAvailable:    1000 kB\n"
    #expect(MachineLimits.memory("MemAvailable", in: text) == 1_024_000)
    #expect(MachineLimits.memory("MemFree", in: text) == nil)
  }

  @Test func `slots beyond the smallest of affinity, quota and Slurm's cores are a warning that says how many fit`() {
    var limits = MachineLimits(affinity: 8, quota: 2.5, slurm: 4, memory: 1 << 40, files: 1 << 20)
    #expect(limits.allowedCores == 2)
    #expect(isOK(limits.cores(for: 2)))
    guard case .warning(let words, let fix) = limits.cores(for: 3) else {
      Issue.record("no warning")
      return
    }
    #expect(words.contains("8 by affinity, 2.5 by control group, 4 by Slurm") && fix.contains("--slots 2"))
    limits.quota = nil
    #expect(isOK(limits.cores(for: 4)))
  }

  /// A machine of eight cores, as its files show it to a process in a control group.
  private func limits(
    affinity: String = "0-7", group: String, _ files: [String: String], _ environment: [String: String] = [:]
  ) throws -> MachineLimits {
    let root = FileManager.default.temporaryDirectory.appending(path: "machine-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    let common = [
      "proc/self/status": "Cpus_allowed_list:\t\(affinity)\n", "proc/self/cgroup": group,
      "sys/devices/system/cpu/online": "0-7\n",
    ]
    for (name, text) in common.merging(files, uniquingKeysWith: { $1 }).sorted(by: { $0.key < $1.key }) {
      let file = root.appending(path: name)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try text.write(to: file, atomically: true, encoding: .utf8)
    }
    return MachineLimits.read(root: root.path, environment: environment)
  }

  private static let groups = "sys/fs/cgroup"

  @Test func `without limits there is a slot for every core, and nothing to explain`() throws {
    let free = try limits(group: "0::/user.slice\n", ["\(Self.groups)/user.slice/cpu.max": "max 100000\n"])
    #expect(free.allowedCores == 8 && free.coresReason == nil)
  }

  @Test(arguments: [("250000 100000", 2), ("50000 100000", 1), ("max 100000", 4)])
  func `a quota of control groups, the tightest of those around it, is rounded down to slots, at least one`(
    quota: String, slots: Int
  ) throws {
    let here = try limits(
      group: "0::/pods/one\n",
      ["\(Self.groups)/pods/cpu.max": "400000 100000", "\(Self.groups)/pods/one/cpu.max": quota])
    #expect(here.allowedCores == slots)
    #expect(here.coresReason?.hasPrefix("\(slots) slot") == true, "\(here)")
  }

  @Test func `a quota of control groups of version 1 counts too, where a container sees only its own folder`() throws {
    let group = "12:memory:/docker/ab\n4:cpu,cpuacct:/docker/ab\n0::/docker/ab\n"
    let here = try limits(
      group: group,
      ["\(Self.groups)/cpu/cpu.cfs_quota_us": "350000\n", "\(Self.groups)/cpu/cpu.cfs_period_us": "100000\n"])
    #expect(here.allowedCores == 3)
    #expect(here.coresReason == "3 slots on 8 cores: its control group leaves it the time of 3.5")
    let unlimited = try limits(
      group: group,
      [
        "\(Self.groups)/cpu/docker/ab/cpu.cfs_quota_us": "-1\n",
        "\(Self.groups)/cpu/docker/ab/cpu.cfs_period_us": "100000\n",
      ])
    #expect(unlimited.allowedCores == 8)
  }

  @Test func `affinity and Slurm give fewer slots, and are named`() throws {
    let bound = try limits(affinity: "2-3", group: "0::/\n", [:])
    #expect(bound.coresReason == "2 slots on 8 cores: its affinity allows 2")
    let task = try limits(group: "0::/\n", [:], ["SLURM_CPUS_ON_NODE": "4", "SLURM_CPUS_PER_TASK": "1"])
    #expect(task.coresReason == "1 slot on 8 cores: Slurm gave it 1")
  }

  @Test func `memory and open files below what is wanted are warnings`() {
    let limits = MachineLimits(affinity: 8, memory: 4 * MachineLimits.bytesPerSlot, files: 300)
    #expect(isOK(limits.memory(for: 4)) && !isOK(limits.memory(for: 5)))
    #expect(isOK(limits.files(isCoordinating: false)) && !isOK(limits.files(isCoordinating: true)))
  }

  @Test func `what a folder lies on is the deepest mount above it, and the last of those at one place`() {
    let table = """
      21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
      22 21 0:30 / /home rw shared:2 - nfs4 server:/home rw
      23 22 0:31 / /home/a\\040b rw - tmpfs tmpfs rw
      24 21 0:32 / /tmp rw shared:3 master:1 - tmpfs tmpfs rw
      25 21 8:2 / /tmp rw - xfs /dev/sdb rw
      """
    for (path, type) in [
      ("/", "ext4"), ("/homework", "ext4"), ("/home", "nfs4"), ("/home/x", "nfs4"), ("/home/a b/c", "tmpfs"),
      ("/tmp/x", "xfs"),
    ] { #expect(FileSystem.type(of: path, in: table) == type, "\(path)") }
    #expect(FileSystem.type(of: "/", in: "") == nil)
  }

  private func isOK(_ outcome: DoctorCheck.Outcome) -> Bool { if case .ok = outcome { true } else { false } }
}
