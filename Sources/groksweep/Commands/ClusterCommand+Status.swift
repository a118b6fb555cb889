// `groksweep cluster status`: each host as it says itself and as the coordinator sees it.

import ArgumentParser
import Foundation
import Launchers
import Reports

extension ClusterCommand {
  struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Say how each host stands.",
      discussion: """
        Whether it is reached, how many worker processes live there, how many of them the coordinator knows and has at \
        work; the last lines of its log where something is wrong. The logs are fetched into S.cluster meanwhile.

          groksweep cluster status --store wd.sqlite
        """)

    @OptionGroup var place: ClusterStore
    @Flag(help: "One JSON object per host.") var json = false

    func run() throws {
      let report = try place.cluster { _, _ in }.status()
      if json {
        for host in report.hosts { Console.print(try jsonLine(host)) }
      } else {
        Console.print(page(report))
      }
      let isWell = report.coordinator != nil && report.hosts.allSatisfy { $0.trouble == nil }
      if !isWell { throw ExitStatus.failed.thrown }
    }

    private func page(_ report: ClusterReport) -> String {
      var parts = [
        report.coordinatorTrouble.map { "The coordinator does not answer: \($0)" }
          ?? "Coordinator at \(report.endpoint)"
      ]
      var table = TextTable([
        ("host", .left), ("machine", .left), ("stands", .left), ("slots", .right), ("processes", .right),
        ("known", .right), ("training", .right), ("last heard", .right),
      ])
      for host in report.hosts {
        table.append([
          host.host, host.machine ?? "–", host.standing.rawValue + (host.isConnected ? "" : ", not connected"),
          host.slots.map(String.init) ?? "cores", "\(host.processes)", "\(host.known)", "\(host.training)",
          host.silentSeconds.map { "\(Wording.duration(seconds: $0)) ago" } ?? "–",
        ])
      }
      parts.append(table.text)
      for host in report.hosts where host.trouble != nil || !host.lastLines.isEmpty {
        let lines = (host.trouble.map { [$0] } ?? []) + host.lastLines
        parts.append((["\(host.host):"] + lines.map { "  \($0)" }).joined(separator: "\n"))
      }
      return parts.joined(separator: "\n\n")
    }
  }
}
