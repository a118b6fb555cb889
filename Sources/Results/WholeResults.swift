// A stored result, read back as the value that it was.

import GRDB
import Grokking
import Sweeps

extension Store {
  /// The result of a finished point; nil for one that is not finished. What schema 1 did not keep is absent.
  ///
  /// Throws `StoreError.Kind.unknown` for a point that is not here.
  package func result(of point: PointID) throws -> RunResult? {
    try read { database in
      let number = try number(of: point, in: database)
      let columns = """
        SELECT outcome, memorization_epoch, grokking_epoch, censored_after, diverged_at, epochs, kernel_path,
          semantics_version, measure_version
        FROM run WHERE point = ?
        """
      guard let run = try Row.fetchOne(database, sql: columns, arguments: [number]) else { return nil }
      let rows = PointRows(point: number, path: path, database: database)
      return RunResult(
        outcome: try outcome(run), epochs: run["epochs"], evaluations: try rows.evaluations(),
        keyFrequencies: try rows.keyFrequencies(), finalModel: try rows.finalModel(), crossings: try rows.crossings(),
        phases: try rows.phases(), digests: try rows.digests(), kernelPath: run["kernel_path"],
        semanticsVersion: run["semantics_version"], measureVersion: run["measure_version"])
    }
  }

  /// Every evaluation of a finished point, in order of epoch; empty for one that is not finished.
  package func curve(of point: PointID) throws -> [Evaluation] {
    try read { database in
      try PointRows(point: try number(of: point, in: database), path: path, database: database).evaluations()
    }
  }

  private func outcome(_ run: Row) throws -> Outcome {
    let (memorization, grokking): (Int?, Int?) = (run["memorization_epoch"], run["grokking_epoch"])
    let (censored, diverged): (Int?, Int?) = (run["censored_after"], run["diverged_at"])
    let name: String = run["outcome"]
    switch (name, memorization, grokking, censored, diverged) {
    case ("grokked", let memorization?, let grokking?, _, _):
      return .grokked(memorization: memorization, grokking: grokking)
    case ("memorized", let memorization?, _, let epoch?, _):
      return .memorized(memorization: memorization, censoredAfter: epoch)
    case ("unfit", _, _, let epoch?, _): return .unfit(censoredAfter: epoch)
    case ("immediate", _, let grokking?, _, _): return .immediate(memorization: memorization, grokking: grokking)
    case ("collapsed", _, let grokking?, _, _): return .collapsed(memorization: memorization, grokking: grokking)
    case ("diverged", _, _, _, let epoch?):
      return .diverged(at: epoch, memorization: memorization, grokking: grokking)
    default: throw StoreError(.refused, path, "the store holds a run with the impossible outcome \"\(name)\"")
    }
  }
}

/// The rows of one point, of one snapshot of the store.
private struct PointRows {
  let point: Int64
  let path: String
  let database: Database

  private func rows(_ sql: String) throws -> [Row] { try Row.fetchAll(database, sql: sql, arguments: [point]) }

  private func numbers<Number: LosslessStringConvertible>(_ text: String?) throws -> [Number] {
    guard let text else { return [] }
    guard let numbers: [Number] = NumberList.numbers(text) else {
      throw StoreError(.refused, path, "the store holds \"\(text.prefix(40))\" where numbers should be")
    }
    return numbers
  }

  private func named<Name: RawRepresentable<String>>(_ text: String) throws -> Name {
    guard let name = Name(rawValue: text) else {
      throw StoreError(.refused, path, "the store holds a measure \"\(text)\", which this groksweep does not know")
    }
    return name
  }

  func evaluations() throws -> [Evaluation] {
    var evaluations = try rows("SELECT \(EvaluationColumns.list) FROM evaluation WHERE point = ? ORDER BY epoch")
      .map { EvaluationColumns.evaluation($0, from: 0) }
    var place = 0
    /// Both tables below are in order of epoch, and their epochs are among the evaluations'.
    func advance(to epoch: Int) { while evaluations[place].epoch != epoch { place += 1 } }
    for row in try rows("SELECT epoch, norms_w_e, norms_w_l FROM spectrum WHERE point = ? ORDER BY epoch") {
      advance(to: row[0])
      evaluations[place].normsW_E = try numbers(row[1])
      evaluations[place].normsW_L = try numbers(row[2])
    }
    place = 0
    let byFrequency = """
      SELECT epoch, frequency, excluded_loss, cosine_coefficient FROM frequency_evaluation WHERE point = ?
      ORDER BY epoch, frequency
      """
    for row in try rows(byFrequency) {
      advance(to: row[0])
      evaluations[place].keyFrequencies.append(
        KeyFrequencyMeasures(frequency: row[1], excludedLoss: row[2], cosineCoefficient: row[3]))
    }
    return evaluations
  }

  func keyFrequencies() throws -> [KeyFrequency] {
    let columns = "frequency, norm, excluded_loss, cosine_coefficient, neurons, fve_u, fve_v"
    return try rows("SELECT \(columns) FROM key_frequency WHERE point = ? ORDER BY frequency").map {
      KeyFrequency(
        frequency: $0[0], norm: $0[1], excludedLoss: $0[2], cosineCoefficient: $0[3], neurons: $0[4] as Int? ?? 0,
        varianceExplainedU: $0[5], varianceExplainedV: $0[6])
    }
  }

  func finalModel() throws -> FinalMeasures? {
    let columns = "norms_w_e, norms_w_l, key_frequencies_w_e, key_frequencies_neurons, rank_residual"
    guard let row = try rows("SELECT \(columns) FROM final_measure WHERE point = ?").first else { return nil }
    let neurons = try rows("SELECT frequency, fve FROM neuron WHERE point = ? ORDER BY neuron").map {
      NeuronFit(frequency: $0[0], varianceExplained: $0[1])
    }
    let attentions = "attention_to_a, attention_to_b, attention_to_equals"
    let heads = try rows("SELECT \(attentions), frequency, fve FROM head WHERE point = ? ORDER BY head").map {
      HeadMeasures(attention: [$0[0], $0[1], $0[2]], frequency: $0[3], varianceExplained: $0[4])
    }
    let ablations = try rows("SELECT name, frequency, loss FROM ablation WHERE point = ? ORDER BY position").map {
      Ablation(try named($0[0]), frequency: $0[1], loss: $0[2])
    }
    return FinalMeasures(
      normsW_E: try numbers(row[0]), normsW_L: try numbers(row[1]), keyFrequenciesW_E: try numbers(row[2]),
      keyFrequenciesNeurons: try numbers(row[3]), neurons: neurons, heads: heads, rankResidual: row[4],
      ablations: ablations)
  }

  /// In the order of what is watched.
  func crossings() throws -> [Crossing] {
    let stored = try rows("SELECT measure, threshold, first_epoch, sustained_epoch FROM crossing WHERE point = ?").map {
      Crossing(measure: try named($0[0]), threshold: $0[1], first: $0[2], sustained: $0[3])
    }
    return CrossingMeasure.allCases.flatMap { measure in
      let ofMeasure = stored.filter { $0.measure == measure }
      // Rows come with thresholds ascending; losses are watched from the highest down.
      return measure == .testLoss ? ofMeasure.reversed() : ofMeasure
    }
  }

  func phases() throws -> [Phase] {
    let stored = try rows("SELECT phase, start_epoch, end_epoch FROM phase WHERE point = ?").map {
      Phase(try named($0[0]), start: $0[1], end: $0[2])
    }
    return Phase.Name.allCases.flatMap { name in stored.filter { $0.name == name } }
  }

  func digests() throws -> [EpochDigest] {
    try rows("SELECT epoch, digest FROM digest WHERE point = ? ORDER BY epoch").map {
      EpochDigest(epoch: $0[0], digest: $0[1])
    }
  }
}
