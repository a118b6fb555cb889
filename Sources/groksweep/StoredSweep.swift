// Which sweep of a store is meant, for commands that draw.

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

/// The command that writes the data of a figure of `sweep`, named as the placeholder FIGURE.
func plotCommand(store: String, sweep: String) -> @Sendable (String) -> String {
  { figure in
    ShellWords.line(["groksweep", "plot", figure, "--store", store, "--sweep", sweep, "-o", "\(figure).csv"])
  }
}
