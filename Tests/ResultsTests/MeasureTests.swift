// Every measure of a result: back as the value that it was, and in the views as people ask for it.

import Foundation
import GRDB
import Grokking
import Results
import Sweeps
import Testing

@Suite struct MeasureTests {
  private let fixture: StoreFixture
  private let points: [PointID]
  private var store: Store { fixture.store }

  /// Points 0 to 2 have been measured in full, have no waves, and have diverged; point 3 has not run.
  init() throws {
    fixture = try StoreFixture()
    let sweep = Sample.sweep()
    points = sweep.points.map(\.id)
    _ = try fixture.store.register(sweep, at: Sample.now)
    let results = [Sample.measured(), Sample.withoutWaves, Sample.diverged]
    for (place, result) in results.enumerated() {
      try fixture.store.finish(points[place], lease: Int64(place + 1), result)
    }
  }

  /// Rows of a view that belong to point `place`, without the point.
  private func rows(_ columns: String, _ view: String, _ place: Int = 0) throws -> [Row] {
    try fixture.rows("SELECT \(columns) FROM \(view) WHERE point = '\(points[place].hex)'")
  }

  private func texts(_ columns: String, _ view: String, _ place: Int = 0) throws -> [String] {
    try rows(columns, view, place).map { row in
      row.databaseValues.map { $0.isNull ? "–" : "\($0.storage.value!)" }.joined(separator: " ")
    }
  }

  @Test func `a result comes back as it was, and so does what it does not have`() throws {
    #expect(try store.result(of: points[0]) == Sample.measured())
    #expect(try store.result(of: points[1]) == Sample.withoutWaves)
    #expect(try store.result(of: points[2]) == Sample.diverged)
    #expect(try store.result(of: points[3]) == nil)
    #expect(try store.curve(of: points[0]) == Sample.measured().evaluations)
    #expect(try store.curve(of: points[3]) == [])
  }

  @Test func `a result without the measures of schema 2 comes back as it was`() throws {
    try store.finish(points[3], lease: 4, Sample.result())
    #expect(try store.result(of: points[3]) == Sample.result())
    let views = ["crossings", "phases", "spectra", "frequency_curves", "neurons", "heads", "ablations"]
    for view in views { #expect(try rows("*", view, 3).isEmpty, "\(view)") }
    #expect(try texts("cosine_coefficient, neurons, fve_u, fve_v", "key_frequencies", 3) == ["– – – –", "– – – –"])
    #expect(
      try texts("rank_residual, neurons_over_85, key_frequencies, key_frequencies_w_e", "runs", 3) == ["– – 1,3 –"])
  }

  @Test func `every outcome comes back`() throws {
    let outcomes: [Outcome] = [
      .memorized(memorization: 3, censoredAfter: 1000), .unfit(censoredAfter: 1000),
      .immediate(memorization: nil, grokking: 100), .collapsed(memorization: 5, grokking: 100),
      .diverged(at: 30, memorization: 3, grokking: 20),
    ]
    let sweep = Sample.sweep("outcomes", weightDecays: [5], seeds: outcomes.count)
    _ = try store.register(sweep, at: Sample.now)
    for (place, outcome) in outcomes.enumerated() {
      try store.finish(sweep.points[place].id, lease: Int64(10 + place), Sample.result(outcome))
      #expect(try store.result(of: sweep.points[place].id)?.outcome == outcome)
    }
  }

  @Test func `runs shows phases, the last evaluation and the final model`() throws {
    let columns = """
      ended_by, memorization_end, cleanup_start, cleanup_end, restricted_loss_train, restricted_loss_test, logit_fve,
      cosine_loss_test, rank_residual, neurons_over_85, key_frequency_count, key_frequencies, key_frequencies_w_e,
      key_frequencies_neurons
      """
    #expect(
      try texts(columns, "runs") == ["all_epochs 200 600 – 0.003 0.004 0.95 0.25 0.0055 3 2 1,3 3 1,2,3"])
    #expect(try texts(columns, "runs", 1) == ["all_epochs – – – – – – – – 3 2 1,3 3 1,2,3"])
    #expect(try texts(columns, "runs", 2) == ["diverged – – – – – – – – – – – – –"])
  }

  @Test func `runs says what ended a run`() throws {
    #expect(try texts("ended_by", "runs") == ["all_epochs"])
    #expect(try texts("ended_by", "runs", 2) == ["diverged"])
    try store.finish(points[3], lease: 4, Sample.measured(epochs: 900))
    #expect(try texts("ended_by, epochs, max_epochs", "runs", 3) == ["after_grokking 900 1000"])
  }

  @Test func `a final model without any key frequency has none, which is not unknown`() throws {
    var result = Sample.withoutWaves
    result.keyFrequencies = []
    result.finalModel?.keyFrequenciesW_E = []
    try store.finish(points[3], lease: 4, result)
    #expect(try texts("key_frequency_count, key_frequencies, key_frequencies_w_e", "runs", 3) == ["0  "])
    #expect(try store.runs(of: "decay").map(\.keyFrequencyCount) == [2, 2, nil, 0])
    #expect(try store.result(of: points[3]) == result)
  }

  @Test func `curves and frequency_curves show every evaluation`() throws {
    #expect(
      try texts("logit_fve, cosine_loss_test, sum_squared_w_e, sum_squared_w_u, sum_squared_b_out", "curves") == [
        "0.95 0.25 0.0 10.0 –", "0.95 0.25 1000.0 1010.0 –",
      ])
    #expect(
      try texts("epoch, frequency, excluded_loss, cosine_coefficient", "frequency_curves") == [
        "0 1 4.0 -0.5", "0 3 2.0 0.30000000000000004", "1000 1 1004.0 -0.5", "1000 3 1002.0 0.30000000000000004",
      ])
    #expect(try rows("*", "frequency_curves", 1).isEmpty)
  }

  @Test func `spectra has a row for every frequency of every evaluation`() throws {
    #expect(
      try texts("epoch, frequency, norm_w_e, norm_w_l", "spectra") == [
        "0 1 0.1 0.33333334", "0 2 1e-12 16777216.0", "0 3 3.4028235e+38 0.0",
        "1000 1 0.1 0.33333334", "1000 2 1e-12 16777216.0", "1000 3 3.4028235e+38 1000.0",
      ])
    // Numbers, not texts, for arithmetic.
    #expect(
      try fixture.value("SELECT count(*) FROM spectra WHERE typeof(norm_w_e) = 'real' AND typeof(norm_w_l) = 'real'")
        == 18)
  }

  @Test func `a final model of which little was measured is stored as such`() throws {
    var result = Sample.withoutWaves
    result.finalModel = FinalMeasures(normsW_E: [], normsW_L: [])
    for place in result.keyFrequencies.indices { result.keyFrequencies[place].neurons = 0 }
    try store.finish(points[3], lease: 4, result)
    #expect(
      try texts(
        "neurons_over_85, rank_residual, key_frequencies, key_frequencies_w_e, key_frequencies_neurons", "runs", 3)
        == ["– – 1,3 – –"])
    #expect(try texts("neurons", "key_frequencies", 3) == ["–", "–"])
    #expect(try store.result(of: points[3]) == result)
  }

  @Test func `a spectrum beyond float32 is absent beside the other`() throws {
    var result = Sample.measured()
    result.evaluations[0].normsW_E = []
    result.evaluations[1].normsW_L = []
    try store.finish(points[3], lease: 4, result)
    #expect(
      try texts("epoch, frequency, norm_w_e, norm_w_l", "spectra", 3) == [
        "0 1 – 0.33333334", "0 2 – 16777216.0", "0 3 – 0.0", "1000 1 0.1 –", "1000 2 1e-12 –", "1000 3 3.4028235e+38 –",
      ])
    #expect(try store.result(of: points[3]) == result)
  }

  @Test func `key_frequencies, neurons and heads show the final model`() throws {
    #expect(
      try texts("frequency, norm, excluded_loss, cosine_coefficient, neurons, fve_u, fve_v", "key_frequencies") == [
        "1 2.5 4.5 40.5 1 0.93 0.98", "3 1.5 3.0 40.5 3 0.93 0.98",
      ])
    #expect(
      try texts("frequency, norm, excluded_loss, cosine_coefficient, neurons, fve_u, fve_v", "key_frequencies", 1) == [
        "1 2.5 – – 1 – –", "3 1.5 – – 3 – –",
      ])
    #expect(
      try texts("neuron, frequency, fve", "neurons") == ["0 1 0.9", "1 2 0.85", "2 3 0.86", "3 1 0.0", "4 2 1.0"])
    #expect(
      try texts("head, attention_to_a, attention_to_b, attention_to_equals, frequency, fve", "heads") == [
        "0 0.25 0.5 0.25 2 0.75", "1 1.0 0.0 0.0 1 0.0",
      ])
  }

  @Test func `ablations stand in their order, each held against the original`() throws {
    #expect(
      try texts("name, frequency, loss, ratio_to_original", "ablations") == [
        "original – 0.5 1.0", "neuron_polynomials – 0.25 0.5", "without_frequency 1 4.0 8.0",
        "without_frequency 3 2.0 4.0", "no_skip – 0.5 1.0",
      ])
    #expect(try rows("*", "ablations", 1).isEmpty)
  }

  @Test func `crossings has every threshold, and phases those that happened`() throws {
    #expect(
      try texts("measure, threshold, first_epoch, sustained_epoch", "crossings") == [
        "test_accuracy 0.5 650 700", "test_accuracy 0.9 – –", "test_accuracy 0.95 – –", "test_accuracy 0.99 – –",
        "test_accuracy 1.0 – –", "test_loss 0.01 – –", "test_loss 0.1 – –", "test_loss 1.0 650 700",
        "train_accuracy 0.99 – –",
      ])
    #expect(
      try texts("phase, start_epoch, end_epoch", "phases") == [
        "memorization 0 200", "circuit_formation 200 600", "cleanup 600 –",
      ])
    #expect(try rows("*", "phases", 1).isEmpty)
  }

  @Test func `what a diverged run does not have is no row`() throws {
    for view in ["key_frequencies", "frequency_curves", "phases", "neurons", "heads", "ablations"] {
      #expect(try rows("*", view, 2).isEmpty, "\(view)")
    }
    #expect(try rows("*", "spectra", 2).count == 6)
    #expect(try store.runs(of: "decay")[2].keyFrequencyCount == nil)
  }

  @Test func `a measure that is not a number is rejected whole`() throws {
    let changes: [(inout RunResult) -> Void] = [
      { $0.evaluations[1].normsW_E[0] = .nan }, { $0.evaluations[1].normsW_L[2] = .infinity },
      { $0.evaluations[1].normsW_L.removeLast() }, { $0.evaluations[0].sumSquaredByTensor[3] = -.infinity },
      { $0.evaluations[0].keyFrequencies[1].cosineCoefficient = .nan },
      { $0.evaluations[0].keyFrequencies[1].frequency = 2 }, { $0.finalModel!.normsW_E[1] = .nan },
      { $0.finalModel!.heads[0].attention = [1, 2] }, { $0.finalModel!.neurons[0].varianceExplained = .infinity },
      { $0.finalModel!.ablations.append($0.finalModel!.ablations[0]) }, { $0.crossings[0].sustained = 3 },
      { $0.phases.append($0.phases[0]) },
    ]
    for (place, change) in changes.enumerated() {
      var result = Sample.measured()
      change(&result)
      #expect(
        storeError { try store.finish(points[3], lease: Int64(20 + place), result) }?.kind == .rejected, "\(place)")
    }
    #expect(try fixture.value("SELECT count(*) FROM run") == 3)
    #expect(try fixture.value("SELECT count(*) FROM spectrum") == 6)
    #expect(try fixture.value("SELECT count(*) FROM neuron") == 10)
  }
}
