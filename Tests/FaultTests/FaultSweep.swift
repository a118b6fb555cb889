// The sweeps that trouble comes to, and their rows when none does.

import Foundation
import Synchronization
import TestSupport
import Testing

/// Points that differ by their seeds and by one setting.
struct FaultSweep: Hashable {
  let points: Int
  /// Each takes about 50 µs on a quiet core.
  let epochs: Int

  /// As a sweep file.
  var text: String {
    """
    sweep: faults
    task: {modulus: 13, train_fraction: 0.6}
    model: {d_model: 16, heads: 4, d_mlp: 32}
    training: {epochs: \(epochs)}
    measure: {evaluate_every: 1000}
    axes:
      training.weight_decay: [1, 2]
      seed: {count: \(points / 2)}
    """
  }

  private static let rows = Mutex<[FaultSweep: Rows]>([:])

  /// What a sweep that is left alone gives; run once per process.
  func undisturbedRows() throws -> Rows {
    try Self.rows.withLock { known in
      if let rows = known[self] { return rows }
      let folder = try Folder()
      try folder.write(text, to: "faults.yaml")
      let ended = try Groksweep.run(["sweep", "faults.yaml", "--workers", "2"], in: folder, within: 1800)
      try #require(ended.status == 0, "\(ended.errors)")
      let rows = try Rows(of: "faults.sqlite", in: folder)
      known[self] = rows
      return rows
    }
  }
}

/// Everything about finished points that has to be the same wherever, whenever and however often they were run.
struct Rows: Hashable {
  /// Of each view a line per row, in full precision.
  let lines: [[String]]

  private static let views = [
    "runs", "curves", "key_frequencies", "crossings", "phases", "frequency_curves", "spectra", "neurons", "heads",
    "ablations",
  ]
  /// Columns that tell of the machine or the moment instead of the run. Every other one is compared.
  private static let exceptions = ["seconds", "worker"]

  init(of store: String, in folder: Folder) throws {
    lines = try Self.views.map { view in
      let all = try folder.query(store, "SELECT name FROM pragma_table_info('\(view)')")
      let columns = all.filter { !Self.exceptions.contains($0) }
      try #require(columns.count >= 3, "\(view): \(all)")
      let order = (1...columns.count).map(String.init).joined(separator: ", ")
      return try folder.query(
        store, "SELECT \(columns.joined(separator: ", ")) FROM \(view) ORDER BY \(order)", options: ["-quote"])
    }
  }

  /// The first rows in which two stores differ; nil where they do not.
  func difference(from other: Rows) -> String? {
    for (view, (ours, theirs)) in zip(Self.views, zip(lines, other.lines)) where ours != theirs {
      let missing = theirs.filter { !ours.contains($0) }.prefix(2)
      let added = ours.filter { !theirs.contains($0) }.prefix(2)
      return "\(view): \(ours.count) rows instead of \(theirs.count); missing \(missing); instead \(added)"
    }
    return nil
  }
}
