import Cluster
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
    #expect(limits.allowedCores == 3)
    #expect(isOK(limits.cores(for: 3)))
    guard case .warning(let words, let fix) = limits.cores(for: 4) else {
      Issue.record("no warning")
      return
    }
    #expect(words.contains("8 by affinity, 2.5 by control group, 4 by Slurm") && fix.contains("--slots 3"))
    limits.quota = nil
    #expect(isOK(limits.cores(for: 4)))
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
