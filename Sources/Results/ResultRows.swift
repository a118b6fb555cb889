// A result as rows of the tables that hang on `run`. What was not measured is NULL, or has no row; never zero.

import GRDB
import Grokking

enum ResultRows {
  private typealias Values = [(any DatabaseValueConvertible)?]

  /// A table that hangs on `run`, by its columns beside the point.
  private struct Table {
    let insert: String

    init(_ name: String, _ columns: String) {
      let marks = columns.split(separator: ",").map { _ in ", ?" }.joined()
      insert = "INSERT INTO \(name) (point, \(columns)) VALUES (?\(marks))"
    }

    // Made once: putting the words together took longer than SQLite does for a row.
    static let evaluation = Table("evaluation", EvaluationColumns.list)
    static let keyFrequency = Table(
      "key_frequency", "frequency, norm, excluded_loss, cosine_coefficient, neurons, fve_u, fve_v")
    static let frequencyEvaluation = Table(
      "frequency_evaluation", "epoch, frequency, excluded_loss, cosine_coefficient")
    static let spectrum = Table("spectrum", "epoch, norms_w_e, norms_w_l")
    static let digest = Table("digest", "epoch, digest")
    static let crossing = Table("crossing", "measure, threshold, first_epoch, sustained_epoch")
    static let phase = Table("phase", "phase, start_epoch, end_epoch")
    static let finalMeasure = Table(
      "final_measure",
      "norms_w_e, norms_w_l, key_frequencies_w_e, key_frequencies_neurons, neurons_over_85, rank_residual")
    static let neuron = Table("neuron", "neuron, frequency, fve")
    static let head = Table("head", "head, attention_to_a, attention_to_b, attention_to_equals, frequency, fve")
    static let ablation = Table("ablation", "position, name, frequency, loss")
  }

  /// All of `result` but its run, which must be there.
  static func insert(_ result: RunResult, of point: Int64, in database: Database) throws {
    func insert(_ table: Table, _ rows: some Sequence<Values>) throws {
      var statement: Statement?
      for row in rows {
        let prepared = try statement ?? database.cachedStatement(sql: table.insert)
        statement = prepared
        try prepared.execute(arguments: StatementArguments([point] + row))
      }
    }
    // Parents before children; rows in the order of their keys, which appends them.
    try insert(.evaluation, result.evaluations.lazy.map(EvaluationColumns.values))
    try insert(
      .keyFrequency,
      result.keyFrequencies.map { values(of: $0, neuronsAreKnown: result.finalModel?.neurons.isEmpty == false) })
    try insert(
      .frequencyEvaluation,
      result.evaluations.lazy.flatMap { evaluation in
        evaluation.keyFrequencies.lazy.map {
          [evaluation.epoch, $0.frequency, $0.excludedLoss, $0.cosineCoefficient] as Values
        }
      })
    try insert(
      .spectrum,
      result.evaluations.lazy.filter { !$0.normsW_E.isEmpty || !$0.normsW_L.isEmpty }.map {
        [$0.epoch, list($0.normsW_E), list($0.normsW_L)]
      })
    try insert(.digest, result.digests.lazy.map { [$0.epoch, $0.digest] })
    try insert(
      .crossing, result.crossings.lazy.map { [$0.measure.rawValue, $0.threshold, $0.first, $0.sustained] })
    try insert(.phase, result.phases.lazy.map { [$0.name.rawValue, $0.start, $0.end] })
    guard let final = result.finalModel else { return }
    try insert(.finalMeasure, CollectionOfOne(values(of: final)))
    try insert(
      .neuron,
      final.neurons.enumerated().lazy.map { [$0.offset, $0.element.frequency, $0.element.varianceExplained] })
    try insert(.head, final.heads.enumerated().lazy.map { [$0.offset] + values(of: $0.element) })
    try insert(
      .ablation,
      final.ablations.enumerated().lazy.map {
        [$0.offset, $0.element.name.rawValue, $0.element.frequency, $0.element.loss]
      })
  }

  private static func values(of key: KeyFrequency, neuronsAreKnown: Bool) -> Values {
    [
      key.frequency, key.norm, key.excludedLoss, key.cosineCoefficient, neuronsAreKnown ? key.neurons : nil,
      key.varianceExplainedU, key.varianceExplainedV,
    ]
  }

  /// No norms are not an empty list of them.
  private static func list<Number: LosslessStringConvertible>(_ norms: [Number]) -> String? {
    norms.isEmpty ? nil : NumberList.text(norms)
  }

  /// What the spectra and the neurons say is known when they are.
  private static func values(of final: FinalMeasures) -> Values {
    let (hasNorms, hasNeurons) = (!final.normsW_E.isEmpty, !final.neurons.isEmpty)
    return [
      list(final.normsW_E), list(final.normsW_L),
      hasNorms ? NumberList.text(final.keyFrequenciesW_E) : nil,
      hasNeurons ? NumberList.text(final.keyFrequenciesNeurons) : nil, hasNeurons ? final.neuronsOver85 : nil,
      final.rankResidual,
    ]
  }

  private static func values(of head: HeadMeasures) -> Values {
    // A head without its three weights fails the schema's NOT NULL, as any other broken result does.
    (0..<3).map { $0 < head.attention.count ? head.attention[$0] : nil } + [head.frequency, head.varianceExplained]
  }
}

/// Numbers as the text of a JSON array, in the shortest decimals that give the same bits again.
enum NumberList {
  static func text<Number: LosslessStringConvertible>(_ numbers: [Number]) -> String {
    "[" + numbers.map(\.description).joined(separator: ",") + "]"
  }

  /// nil for a text that `text` did not write.
  static func numbers<Number: LosslessStringConvertible>(_ text: String) -> [Number]? {
    guard text.hasPrefix("["), text.hasSuffix("]") else { return nil }
    let items = text.dropFirst().dropLast().split(separator: ",")
    let numbers = items.compactMap { Number(String($0)) }
    return numbers.count == items.count ? numbers : nil
  }
}
