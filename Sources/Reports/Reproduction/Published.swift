// The published numbers that `groksweep reproduce` holds ours against, each with its source: `published.json`, which is
// part of the program. This file reads it and refuses what makes no sense; how a row is judged is Verdict.swift's affair.

import Foundation
import Grokking

/// Published rows in the order in which they are shown.
package struct Published: Sendable, Hashable {
  package let sources: [Source]
  package let rows: [PublishedRow]

  /// Where numbers were published: a short name that rows use, and the whole of it.
  package struct Source: Sendable, Hashable, Codable {
    package let id: String
    package let text: String
  }

  /// The rows that come with this program.
  package static let all: Published = {
    do {
      return try Published(json: Data(PackageResources.published_json))
    } catch {
      preconditionFailure("published.json, which is part of this program, cannot be read: \(error)")
    }
  }()

  /// - Throws: `PublishedError`, or what `JSONDecoder` says of text that is not of this form.
  package init(json: Data) throws {
    struct Form: Decodable {
      let sources: [Source]
      let rows: [PublishedRow]
    }
    let form = try JSONDecoder().decode(Form.self, from: json)
    for row in form.rows where !form.sources.contains(where: { $0.id == row.source }) {
      throw PublishedError("row \"\(row.what)\" of \(row.target) names a source \"\(row.source)\" that is not listed")
    }
    sources = form.sources
    rows = form.rows
  }

  package func rows(of target: ReproductionTarget) -> [PublishedRow] { rows.filter { $0.target == target } }

  /// Those that `rows` use, in the file's order.
  package func sources(of rows: [PublishedRow]) -> [Source] {
    sources.filter { source in rows.contains { $0.source == source.id } }
  }
}

/// What one published row says, of which runs, and what is asked of ours.
package struct PublishedRow: Sendable, Hashable, Decodable {
  package enum Measure: String, Sendable, Hashable, Codable, CaseIterable {
    /// Whether test accuracy ever reached 0.99.
    case groks
    /// First epoch with test accuracy ≥ 0.99.
    case grokkingEpoch = "grokking_epoch"
    /// First epoch with test loss ≤ 0.1.
    case testLossUnder0_1 = "test_loss_under_0.1"
    /// Of the final model, mean over all p² pairs.
    case loss
    /// Restricted loss over that loss, both over all pairs.
    case restrictedRatio = "restricted_ratio"
    case sumSquaredWeights = "sum_squared_weights"
    case keyFrequencyCount = "key_frequency_count"
  }

  /// What was published.
  package enum Claim: Sendable, Hashable {
    /// A positive number, or a range of them; a single number is a range of one.
    case number(ClosedRange<Double>)
    /// That it happens, or that it does not.
    case happens(Bool)
  }

  package let target: ReproductionTarget
  package let what: String
  package let measure: Measure
  package let conditions: RunConditions
  package let claim: Claim
  /// As people say the number, where that is not its digits: `about 950`.
  package let words: String?
  /// A `Published.Source.id`.
  package let source: String
  /// What a run of another seed may be off by, whatever ours say; at least 1.
  package let seedFactor: Double
  /// Whether `reproduce` fails when this row differs.
  package let shouldHold: Bool
  /// Why it should hold or need not, and what the comparison is worth.
  package let why: String

  private enum CodingKeys: String, CodingKey {
    case target, what, measure
    case conditions = "where"
    case value, range, happens, words, source
    case seedFactor = "seed_factor"
    case shouldHold = "should_hold"
    case why
  }

  package init(from decoder: any Decoder) throws {
    let row = try decoder.container(keyedBy: CodingKeys.self)
    target = try row.decode(ReproductionTarget.self, forKey: .target)
    what = try row.decode(String.self, forKey: .what)
    measure = try row.decode(Measure.self, forKey: .measure)
    conditions = try row.decode(RunConditions.self, forKey: .conditions)
    words = try row.decodeIfPresent(String.self, forKey: .words)
    source = try row.decode(String.self, forKey: .source)
    seedFactor = try row.decodeIfPresent(Double.self, forKey: .seedFactor) ?? 1
    shouldHold = try row.decode(Bool.self, forKey: .shouldHold)
    why = try row.decode(String.self, forKey: .why)

    let value = try row.decodeIfPresent(Double.self, forKey: .value)
    let range = try row.decodeIfPresent([Double].self, forKey: .range)
    let happens = try row.decodeIfPresent(Bool.self, forKey: .happens)
    switch (value, range, happens) {
    case (let value?, nil, nil) where value > 0: claim = .number(value...value)
    case (nil, let range?, nil) where range.count == 2 && 0 < range[0] && range[0] <= range[1]:
      claim = .number(range[0]...range[1])
    case (nil, nil, let happens?): claim = .happens(happens)
    default:
      throw PublishedError(
        "row \"\(what)\" of \(target) needs one of: value (a number above 0), range (two of them, ascending), happens")
    }
    let isQuestion = if case .happens = claim { true } else { false }
    guard isQuestion == (measure == .groks) else {
      throw PublishedError(
        "row \"\(what)\" of \(target): \"happens\" belongs to the measure groks, numbers to the others")
    }
    guard seedFactor >= 1, seedFactor.isFinite else {
      throw PublishedError("row \"\(what)\" of \(target): seed_factor \(seedFactor) must be 1 or more")
    }
  }
}

/// Which runs of a target a row is about; a value that is nil may be any.
package struct RunConditions: Sendable, Hashable, Codable {
  package let trainFraction: Double?
  package let weightDecay: Double?
  package let modulus: Int?

  package func holds(for experiment: Experiment) -> Bool {
    (trainFraction ?? experiment.task.trainFraction) == experiment.task.trainFraction
      && (weightDecay ?? experiment.training.weightDecay) == experiment.training.weightDecay
      && (modulus ?? experiment.task.modulus) == experiment.task.modulus
  }

  /// `modulus 53, weight decay 1`; empty for all runs.
  package var words: String {
    var parts: [String] = []
    if let modulus { parts.append("modulus \(modulus)") }
    if let trainFraction { parts.append("fraction \(trainFraction)") }
    if let weightDecay { parts.append("weight decay \(Wording.plain(weightDecay))") }
    return parts.joined(separator: ", ")
  }

  enum CodingKeys: String, CodingKey {
    case trainFraction = "train_fraction"
    case weightDecay = "weight_decay"
    case modulus
  }
}

/// Why published numbers cannot be used, in a sentence.
package struct PublishedError: Error, Hashable, Sendable, CustomStringConvertible {
  package let message: String

  package init(_ message: String) { self.message = message }

  package var description: String { message }
}
