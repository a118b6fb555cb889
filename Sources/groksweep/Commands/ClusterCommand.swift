// `groksweep cluster`: a coordinator here and workers on other machines, started and ended from here.

import ArgumentParser
import Cluster
import Foundation
import Grokking
import Launchers
import Sweeps

struct ClusterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cluster",
    abstract: "Start workers on other machines, see them, and end them.",
    discussion: """
      `up`, `status`, `add` and `down` work over ssh, which has to come in without asking. What a cluster consists of is \
      written down beside its store, so each of them may be given again after whatever went wrong.

        groksweep cluster up --hosts cluster/hosts.yaml configs/weight-decay.yaml --store wd.sqlite
        groksweep cluster add grace:16 --store wd.sqlite
        groksweep cluster status --store wd.sqlite
        groksweep cluster down --store wd.sqlite

      `slurm` submits workers to a batch system instead.
      """,
    subcommands: [Up.self, Status.self, Add.self, Down.self, Slurm.self])
}

/// Whose cluster.
struct ClusterStore: ParsableArguments {
  @Option(help: "The store beside which the cluster is written down. May be left out when the folder holds just one.")
  var store: String?

  /// - Parameter tell: what becomes of the lines about what happens.
  func cluster(tell: @escaping @Sendable (String, String) -> Void) throws -> SSHCluster {
    let folder = ClusterFolder(besides: try store ?? onlyStoreHere())
    let version = ProgramVersion(
      build: Build.version, protocolVersion: WireProtocol.version, engineSemantics: Engine.semanticsVersion)
    return SSHCluster(folder: folder, executable: ownExecutable(), version: version, tell: tell)
  }
}

/// What happens, as it happens: a line each, and on a terminal a last one that says that there is more to come.
struct ClusterLines: Sendable {
  let screen = Screen()

  init(_ doing: String) { screen.show(["\(doing) …"]) }

  var tell: @Sendable (String, String) -> Void {
    let screen = screen
    return { who, words in screen.remark("\(who): \(words)") }
  }
}

extension Result where Success == HostStart, Failure == HostTrouble {
  /// The last word about a host.
  var words: String {
    switch self {
    case .success(.started): "its workers are at work"
    case .success(.running): "its workers run already"
    case .success(.waiting(let lines)):
      "its workers run and have not reached the coordinator yet" + (lines.last.map { ": \($0)" } ?? "")
    case .failure(let trouble): "failed: \(trouble)"
    }
  }

  var isFailure: Bool { if case .failure = self { true } else { false } }
}
