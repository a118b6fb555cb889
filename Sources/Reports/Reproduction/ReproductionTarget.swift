// What can be reproduced, and the sweep files that do it. Their texts are part of the program, so that `reproduce` works
// wherever it is installed; they are the files of `configs/` (linked here), and a test holds both together.

import Foundation
import Grokking
import Sweeps

/// A group of published numbers.
package enum ReproductionTarget: String, Sendable, Hashable, Codable, CaseIterable {
  case paper
  case trainFraction = "train-fraction"
  case weightDecay = "weight-decay"
  case modulus

  /// What it is about, for help texts.
  package var summary: String {
    switch self {
    case .paper: "the main line: when it groks and what it becomes"
    case .trainFraction: "when test loss falls, by the share of pairs trained on"
    case .weightDecay: "when test loss falls, by weight decay"
    case .modulus: "which other moduli grok"
    }
  }

  /// The sweep files, by the name of each in `configs/`, which is the sweep's.
  package var sweeps: [(name: String, text: String)] {
    let files: [(String, [UInt8])] =
      switch self {
      case .paper: [("reproduce-paper", PackageResources.reproduce_paper_yaml)]
      case .trainFraction: [("reproduce-train-fraction", PackageResources.reproduce_train_fraction_yaml)]
      case .weightDecay: [("reproduce-weight-decay", PackageResources.reproduce_weight_decay_yaml)]
      case .modulus:
        [
          ("reproduce-modulus-53", PackageResources.reproduce_modulus_53_yaml),
          ("reproduce-modulus-109", PackageResources.reproduce_modulus_109_yaml),
          ("reproduce-modulus-401", PackageResources.reproduce_modulus_401_yaml),
        ]
      }
    return files.map { (name: $0.0, text: String(decoding: $0.1, as: UTF8.self)) }
  }

  /// The key that `--only` chooses values of; nil where there is nothing to choose.
  package var chosenKey: String? {
    switch self {
    case .paper: nil
    case .trainFraction: "task.train_fraction"
    case .weightDecay: "training.weight_decay"
    case .modulus: "task.modulus"
    }
  }

  /// The value of `chosenKey`.
  private func chosenValue(_ experiment: Experiment) -> Double? {
    switch self {
    case .paper: nil
    case .trainFraction: experiment.task.trainFraction
    case .weightDecay: experiment.training.weightDecay
    case .modulus: Double(experiment.task.modulus)
    }
  }

  /// The sweeps to run: all of the target's, or those parts with the values `only` of `chosenKey`, and with `seeds`
  /// seeds instead of the files' own. A sweep that is not its file's has a name of its own: `….only-0.9.seeds-1`.
  ///
  /// Throws `ReproductionError` for a value that the target does not have.
  package func plan(only: [Double]? = nil, seeds: Int? = nil) throws -> [SweepFile] {
    let files = try sweeps.map { (text: $0.text, file: try SweepFile(text: $0.text, fileName: "\($0.name).yaml")) }
    if let only {
      let known = files.flatMap { values(of: $0.file) }
      guard let chosenKey else {
        throw ReproductionError("\(rawValue) is one setting; there is nothing to choose with --only")
      }
      if let stranger = only.first(where: { !known.contains($0) }) {
        throw ReproductionError(
          "--only \(Wording.plain(stranger)): \(rawValue) has no such \(chosenKey); it has "
            + known.map(Wording.plain).joined(separator: ", "))
      }
    }
    return try files.compactMap { text, file in
      let values = values(of: file)
      let chosen = values.filter { only?.contains($0) ?? true }
      if chosen.isEmpty && only != nil { return nil }
      var (name, overrides) = (file.name, [String]())
      if let chosenKey, chosen.count < values.count {
        let words = chosen.map(Wording.plain)
        name += ".only-\(words.joined(separator: "-"))"
        overrides.append("axes.\(chosenKey)=[\(words.joined(separator: ", "))]")
      }
      if let seeds, seeds != seedCount(of: file) {
        name += ".seeds-\(seeds)"
        overrides.append("axes.seed={count: \(seeds)}")
      }
      if overrides.isEmpty { return file }
      return try SweepFile(text: text, fileName: "\(file.name).yaml", overrides: overrides + ["sweep=\(name)"])
    }
  }

  /// The distinct values of `chosenKey`, in the file's order.
  private func values(of file: SweepFile) -> [Double] {
    var values: [Double] = []
    for point in file.points {
      if let value = chosenValue(point.experiment), !values.contains(value) { values.append(value) }
    }
    return values
  }

  private func seedCount(of file: SweepFile) -> Int {
    file.points.prefix { $0.setting == file.points[0].setting }.count
  }
}

/// What cannot be reproduced as asked, in a sentence.
package struct ReproductionError: Error, Hashable, Sendable, CustomStringConvertible {
  package let message: String

  package init(_ message: String) { self.message = message }

  package var description: String { message }
}
