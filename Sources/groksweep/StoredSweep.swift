// Which sweep of a store is meant, and how its phase diagram is to be drawn, for commands that draw.

import ArgumentParser
import Foundation
import Reports
import Results
import Sweeps

extension StoredRunOptions {
  /// The sweep that was named, or the only one.
  func sweepName(in store: Store) throws -> String {
    if let sweep { return sweep }
    let names = try store.sweepNames()
    guard let only = names.first else {
      throw Failure(
        "\(store.path): the store has no sweeps yet; `groksweep sweep FILE` or `merge` fills one", .badInput)
    }
    guard names.count == 1 else {
      throw Failure(
        "\(store.path): the store has \(names.count) sweeps: \(Self.listed(names)); name one with --sweep, or a run with --point",
        .usage)
    }
    return only
  }

  private static func listed(_ names: [String]) -> String {
    names.prefix(20).joined(separator: ", ") + (names.count > 20 ? ", …" : "")
  }
}

/// `--x` and `--y`.
struct DiagramOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The swept value that goes to the right in the phase diagram, as in weight_decay.", valueName: "axis"))
  var x: String?
  @Option(help: ArgumentHelp("The swept value that goes upwards in the phase diagram.", valueName: "axis"))
  var y: String?

  var isGiven: Bool { x != nil || y != nil }

  func axes(of settings: SweepSettings) throws -> DiagramAxes { try DiagramAxes(x: x, y: y, of: settings) }

  /// As somebody would write them again.
  var words: [String] { (x.map { ["--x", $0] } ?? []) + (y.map { ["--y", $0] } ?? []) }
}

/// The command that writes the data of the figure of `sweep` that is named.
func plotCommand(store: String, sweep: String, _ diagram: DiagramOptions) -> @Sendable (String) -> String {
  let axes = diagram.words
  return { figure in
    ShellWords.line(
      ["groksweep", "plot", figure, "--store", store, "--sweep", sweep]
        + (figure == SweepFigure.phaseDiagram.rawValue ? axes : []) + ["-o", "\(figure).csv"])
  }
}
