// `groksweep cluster up` and `add`: workers on the hosts that a file, or somebody, names.

import ArgumentParser
import Cluster
import Foundation
import Launchers
import Reports
import Sweeps

extension ClusterCommand {
  struct Up: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Start a coordinator here and workers on hosts over ssh.",
      discussion: """
        Everything goes on in the background; the words of all are in the folder S.cluster beside the store. Given again, \
        it leaves alone what is well, mends connections that were lost, and starts what does not run. A host that fails is \
        named with its reason and stops none of the others.

        By default workers come through their host's ssh connection, and nothing listens on the network. With --address \
        they connect to that by themselves, with keys that are made for it, and outlive the connection.

          groksweep cluster up --hosts cluster/hosts.yaml configs/weight-decay.yaml --store wd.sqlite
          groksweep cluster up --hosts lab.yaml --store wd.sqlite --address tcp://coordinator.example.org:5555 --keys
        """)

    @Argument(help: "Sweep files.") var files: [String] = []
    @OptionGroup var overrides: Overrides
    @Option(help: "The file that lists the hosts; cluster/hosts.yaml explains itself.") var hosts: String
    @Option(help: "The results store; it is made when it does not exist.") var store: String
    @Option(help: "Where workers reach this machine by themselves, as in tcp://HOST:5555; needs --keys.")
    var address: String?
    @Flag(help: "Make a key for each host, in the folder of keys beside the store.") var keys = false
    @Option(help: "The address of a coordinator that runs already, as it printed it; none is started.")
    var connect: String?
    @Flag(help: "Copy this very program to each host that lacks it.") var copy = false

    func validate() throws {
      if address != nil && !keys { throw ValidationError("--address needs --keys: others can reach that address") }
      if connect != nil && (keys || address != nil) {
        throw ValidationError(
          "give --connect for a coordinator that runs already, or --keys and --address for a new one")
      }
    }

    func run() throws {
      if let address { try EndpointPolicy.check(address, .connecting, .keys) }
      let connect = try connect.map { try EndpointPolicy.check($0, .connecting) }
      let list = try HostsFile(text: String(decoding: readInput(hosts), as: UTF8.self), fileName: hosts)
      // All are read before anything is started.
      let sweeps = try files.map { SSHCluster.Sweep(file: $0, text: try readSweepFile($0, overrides).text) }
      if files.isEmpty && connect == nil && !FileManager.default.fileExists(atPath: store) {
        throw Failure("\(store): no such store, and no sweep file to start one with", .badInput)
      }
      var place = ClusterStore()
      place.store = store
      let lines = ClusterLines("starting \(Wording.count(list.hosts.count, "host"))")
      defer { lines.screen.clear() }
      let started = try place.cluster(tell: lines.tell).up(
        list, sweeps: sweeps, overrides: overrides.values,
        way: SSHCluster.Way(address: address, connect: connect, hasKeys: keys), copies: copy)
      for host in started { lines.screen.remark("\(host.host): \(host.outcome.words)") }
      let failed = started.count { $0.outcome.isFailure }
      lines.screen.remark(
        "\(started.count - failed) of \(Wording.count(started.count, "host")) up; see them with: groksweep cluster status "
          + "--store \(ShellWords.quoted(store)), end them with: groksweep cluster down --store \(ShellWords.quoted(store))"
      )
      if failed > 0 { throw ExitStatus.failed.thrown }
    }
  }

  struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Start workers on one more host.",
      discussion: """
        What the file of hosts said in its `defaults` holds for it too.

          groksweep cluster add grace:16 --store wd.sqlite
        """)

    @Argument(help: "[USER@]HOST[:SLOTS].") var host: String
    @OptionGroup var place: ClusterStore
    @Flag(help: "Copy this very program there if it lacks it.") var copy = false

    func run() throws {
      let host: ClusterHost
      do throws(ClusterHost.Problem) {
        host = try ClusterHost(text: self.host)
      } catch {
        throw ValidationError(error.description)
      }
      let lines = ClusterLines("starting \(host.name)")
      defer { lines.screen.clear() }
      let started = try place.cluster(tell: lines.tell).add(host, copies: copy)
      lines.screen.remark("\(started.host): \(started.outcome.words)")
      if started.outcome.isFailure { throw ExitStatus.failed.thrown }
    }
  }
}
