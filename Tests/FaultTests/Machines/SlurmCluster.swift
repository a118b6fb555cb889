// Slurm with two nodes, both of them this machine: daemons with a configuration, a key and ports of their own, started and
// stopped by the test. Needs the packages slurm-wlm and munge, and root; without, it prints so and the test is skipped.

import Foundation
import TestSupport

final class SlurmCluster {
  private let scene: Scene
  private var daemons: [Running] = []

  /// nil, with a line that says why, where Slurm is not installed or does not start.
  init?(_ scene: Scene) throws {
    self.scene = scene
    guard geteuid() == 0 else {
      print("skipped, since Slurm's daemons want to be started by root")
      return nil
    }
    for command in ["munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol"] {
      let found = try Running("/usr/bin/env", ["sh", "-c", "command -v \(command)"], in: scene.folder).end(within: 60)
      guard found.status == 0 else {
        print("skipped, since there is no \(command) here: apt-get install slurm-wlm munge")
        return nil
      }
    }
    do {
      try start()
    } catch let trouble as Trouble {
      print("skipped, since Slurm does not start on this machine: \(trouble)")
      return nil
    }
  }

  private func start() throws {
    let folder = scene.folder
    for name in ["state", "spool.n1", "spool.n2", "munge", "logs"] {
      try FileManager.default.createDirectory(atPath: folder.path(name), withIntermediateDirectories: true)
    }
    var key = Data()
    for _ in 0..<128 { withUnsafeBytes(of: UInt64.random(in: 0 ... .max)) { key.append(contentsOf: $0) } }
    let keyFile = folder.path("munge/key")
    _ = FileManager.default.createFile(atPath: keyFile, contents: key, attributes: [.posixPermissions: 0o400])
    try folder.write(try configuration(), to: "slurm.conf")
    try startDaemon([
      "munged", "--foreground", "--force", "--key-file=\(keyFile)", "--socket=\(folder.path("munge/socket"))",
      "--pid-file=\(folder.path("munge/pid"))", "--seed-file=\(folder.path("munge/seed"))",
    ])
    try scene.wait(for: "munged listens", within: 30) {
      FileManager.default.fileExists(atPath: folder.path("munge/socket"))
    }
    let file = folder.path("slurm.conf")
    try startDaemon(["slurmctld", "-D", "-f", file])
    for node in ["n1", "n2"] { try startDaemon(["slurmd", "-D", "-N", node, "-f", file]) }
    try scene.wait(for: "both nodes are idle", within: 60) {
      let nodes = try Running("/usr/bin/env", slurm(["sinfo", "--noheader", "--format=%D %t"]), in: folder)
      return try nodes.end(within: 60).output == "2 idle\n"
    }
  }

  /// In the foreground, below a shell that waits for it: daemons close every file that they inherit, and Foundation takes
  /// that for their end. Threads of tests have signals blocked, which would be inherited too.
  private func startDaemon(_ words: [String]) throws {
    let shell = ["env", "--default-signal", "sh", "-c", "\"$@\"; exit $?", "sh"]
    daemons.append(try scene.start(words[0], shell + words))
  }

  deinit { try? stop() }

  /// What is still there is killed, and the daemons end.
  func stop() throws {
    guard !daemons.isEmpty else { return }
    _ = try? command(["scancel", "--full", "--user=root"])
    _ = try? waitUntil(30) { try command(["squeue", "--noheader"]).isEmpty }
    for daemon in daemons.reversed() {
      for process in Processes.children(of: daemon.processID) { kill(process, SIGTERM) }
      _ = try? daemon.end(within: 30)
    }
    daemons = []
  }

  /// `groksweep cluster slurm` with these options.
  func groksweep(_ options: [String]) throws -> Running {
    try scene.start("cluster slurm", slurm([Groksweep.path, "cluster", "slurm"] + options))
  }

  func autoscale(_ bounds: String, _ options: String...) throws -> Running {
    try groksweep(
      [
        "--autoscale", bounds, "--connect", scene.socket, "--logs", scene.folder.path("logs"), "--scratch",
        scene.folder.path("nodes"), "--round-seconds", "1", "--checkpoint-seconds", "5", "--name", "groksweep \"test\"",
        "--store", scene.folder.path(scene.store),
      ] + options)
  }

  /// What one of Slurm's commands prints.
  @discardableResult
  func command(_ words: [String]) throws -> String {
    let ended = try Running("/usr/bin/env", slurm(words), in: scene.folder).end(within: 60)
    guard ended.status == 0 else { throw Trouble(description: "\(words): \(ended.errors)") }
    return ended.output
  }

  /// Of the tasks that run.
  func running() throws -> [String] {
    try command(["squeue", "--noheader", "--array", "--state=RUNNING", "--sort=i", "--format=%i"])
      .split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
  }

  /// What the task `17_1` and its worker said.
  func log(of task: String) throws -> String {
    let names = try FileManager.default.contentsOfDirectory(atPath: scene.folder.path("logs"))
    guard let name = names.first(where: { $0.hasSuffix("-\(task).log") }) else {
      throw Trouble(description: "no log of \(task) in \(names)")
    }
    return try String(contentsOfFile: scene.folder.path("logs/\(name)"), encoding: .utf8)
  }

  private func slurm(_ words: [String]) -> [String] {
    ["env", "SLURM_CONF=\(scene.folder.path("slurm.conf"))"] + words
  }

  /// No accounting and no control groups; what Slurm waits for is as short as it may be.
  private func configuration() throws -> String {
    let folder = scene.folder
    let kernel = try String(contentsOfFile: "/proc/sys/kernel/hostname", encoding: .utf8)
    let host = kernel.trimmingCharacters(in: .whitespacesAndNewlines)
    let ports = try Self.freePorts(3)
    return """
      ClusterName=groksweep-test
      SlurmctldHost=\(host)(127.0.0.1)
      SlurmUser=root
      SlurmdUser=root
      AuthType=auth/munge
      AuthInfo=socket=\(folder.path("munge/socket")),cred_expire=5
      SlurmctldPort=\(ports[0])
      SlurmctldPidFile=\(folder.path("slurmctld.pid"))
      SlurmdPidFile=\(folder.path("slurmd.%n.pid"))
      StateSaveLocation=\(folder.path("state"))
      SlurmdSpoolDir=\(folder.path("spool.%n"))
      ProctrackType=proctrack/linuxproc
      TaskPlugin=task/none
      JobAcctGatherType=jobacct_gather/none
      AccountingStorageType=accounting_storage/none
      SelectType=select/cons_tres
      SelectTypeParameters=CR_Core
      SchedulerType=sched/builtin
      SchedulerParameters=sched_interval=1
      SlurmdParameters=config_overrides
      SwitchType=switch/none
      MpiDefault=none
      ReturnToService=2
      MinJobAge=2
      KillWait=30
      NodeName=n1 NodeHostname=\(host) NodeAddr=127.0.0.1 Port=\(ports[1]) CPUs=1 State=UNKNOWN
      NodeName=n2 NodeHostname=\(host) NodeAddr=127.0.0.1 Port=\(ports[2]) CPUs=1 State=UNKNOWN
      PartitionName=test Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP

      """
  }

  /// Ports of 127.0.0.1 that nobody has at this moment; Slurm wants to be told numbers.
  private static func freePorts(_ count: Int) throws -> [UInt16] {
    var sockets: [Int32] = []
    defer { for socket in sockets { close(socket) } }
    return try (0..<count).map { _ in
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      guard descriptor >= 0 else { throw Trouble(description: "no socket: \(String(cString: strerror(errno)))") }
      sockets.append(descriptor)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let isBound = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
        }
      }
      guard isBound else { throw Trouble(description: "no port: \(String(cString: strerror(errno)))") }
      return UInt16(bigEndian: address.sin_port)
    }
  }
}
