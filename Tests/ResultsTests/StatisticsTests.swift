// `grokking_times` and `predictors` against numbers that other programs found, and against slow twins.
//
// Fixtures/statistics.json has what lifelines and scipy say of Fixtures/schema-3.sqlite; Fixtures/statistics.py beside it
// is how it was made.

import Foundation
import GRDB
import Grokking
import Results
import Sweeps
import Testing

@Suite struct StatisticsTests {
  private let fixture: StoreFixture

  init() throws { fixture = try StoreFixture() }

  /// A copy of the frozen store, brought up to date.
  private func frozen() throws -> DatabaseQueue {
    let fixtures = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    let path = fixture.folder.file("frozen.sqlite")
    try FileManager.default.copyItem(atPath: fixtures.appending(path: "schema-3.sqlite").path, toPath: path)
    _ = try Store(path: path, mode: .open)
    return try DatabaseQueue(path: path)
  }

  private func expected(_ key: String) throws -> [[String: Any]] {
    let fixtures = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    let data = try Data(contentsOf: fixtures.appending(path: "statistics.json"))
    let all = try #require(try JSONSerialization.jsonObject(with: data) as? [String: [[String: Any]]])
    return try #require(all[key])
  }

  /// Both absent, or equal to nine digits.
  private func agree(_ found: Double?, _ other: Double?) -> Bool {
    guard let found, let other else { return found == nil && other == nil }
    return abs(found - other) <= 1e-9 * max(1, abs(other))
  }

  @Test func `grokking times are those of lifelines and scipy`() throws {
    let columns = [
      "median": "median_grokking_epoch", "low": "median_low", "high": "median_high",
      "memorization": "median_memorization_epoch", "mean": "geometric_mean_grokking_epoch",
      "mean_low": "geometric_mean_low", "mean_high": "geometric_mean_high", "sd": "log10_sd",
      "sd_of_model_seed": "log10_sd_of_model_seed", "sd_of_data_seed": "log10_sd_of_data_seed",
    ]
    let rows = try frozen().read { try Row.fetchAll($0, sql: "SELECT * FROM grokking_times") }
    let expected = try expected("times")
    #expect(rows.count == expected.count && rows.count == 11)
    for (row, other) in zip(rows, expected) {
      #expect(row["setting"] == other["setting"] as? String)
      for (key, column) in columns.sorted(by: { $0.key < $1.key }) {
        let (found, wanted): (Double?, Double?) = (row[column], other[key] as? Double)
        #expect(agree(found, wanted), "\(other["setting"]!) \(column): \(found as Any), \(wanted as Any)")
      }
    }
  }

  @Test func `predictors are those of scipy`() throws {
    let rows = try frozen().read { try Row.fetchAll($0, sql: "SELECT * FROM predictors") }
    let expected = try expected("predictors")
    #expect(rows.count == expected.count && rows.count == 146)
    func key(_ parts: [String]) -> String { parts.joined(separator: " ") }
    let byKey = Dictionary(
      uniqueKeysWithValues: rows.map { (key([$0["sweep"], $0["measure"], $0["landmark"]]), $0) })
    for other in expected {
      let name = key(["sweep", "measure", "landmark"].map { other[$0] as! String })
      let row = try #require(byKey[name], "\(name)")
      for column in ["runs", "grokked", "left_out"] {
        #expect(row[column] == other[column] as? Int, "\(name) \(column)")
      }
      #expect(agree(row["spearman"], other["spearman"] as? Double), "\(name)")
      #expect(agree(row["spearman_within_settings"], other["within"] as? Double), "\(name) within settings")
    }
  }

  // MARK: Against twins

  /// Runs of `settings` settings with several model and data seeds, many of them censored, at epochs with many ties.
  private func randomRuns(settings: Int, seed: UInt64) throws -> [[(
    point: Point, outcome: Outcome, lossAtStart: Double
  )]] {
    var random = SplitMix(state: seed)
    var number: Int64 = 0
    let points = (0..<settings).map { setting in
      let (models, data) = (1 + Int(random.next() % 4), 1 + Int(random.next() % 3))
      return (0..<models * data).map { place in
        var experiment = Sample.experiment(weightDecay: Double(setting + 1), seed: UInt64(place % models))
        experiment.dataSeed = UInt64(place / models)
        return Point(experiment: experiment, setting: "weight_decay=\(setting + 1)")
      }
    }
    let sweep = SweepRegistration(
      name: "random", canonical: "random", fileText: "", axes: [], points: points.flatMap { $0 }
    ) { _ in [] }
    _ = try fixture.store.register(sweep, at: Sample.now)
    var writes: [StoreWrite] = [.worker(Sample.worker())]
    let runs = points.map { points in
      points.map { point in
        let epoch = 50 + 50 * Int(random.next() % 12)
        let outcome: Outcome =
          switch random.next() % 8 {
          case 0: .memorized(memorization: 20, censoredAfter: 1000)
          case 1: .diverged(at: epoch, memorization: 20, grokking: nil)
          case 2: .unfit(censoredAfter: 1000)
          default: .grokked(memorization: 20 + Int(random.next() % 3), grokking: epoch)
          }
        var result = Sample.result(outcome)
        let loss = Double(random.next() % 6) / 4
        result.evaluations[0].trainLoss = loss
        // Where landmarks look: between the start and the end.
        var early = result.evaluations[0]
        early.epoch = 25
        result.evaluations.insert(early, at: 1)
        number += 1
        writes.append(.grant(AttemptRecord(lease: LeaseID(number), point: point.id, worker: 1)))
        writes.append(.result(result, of: point.id, lease: LeaseID(number), seconds: 1, worker: 1))
        return (point, outcome, loss)
      }
    }
    for outcome in try fixture.store.commit(writes, at: Sample.now) {
      if case .refused(let error) = outcome { throw error }
    }
    return runs
  }

  @Test(arguments: [1, 2, 3]) func `medians and their intervals are those of the definition`(seed: UInt64) throws {
    let runs = try randomRuns(settings: 60, seed: seed)
    let times = try fixture.store.grokkingTimes(of: "random")
    #expect(try fixture.store.grokkingTimesPage(of: "random", settings: 100).times == times)
    #expect(times.count == runs.count)
    for (time, runs) in zip(times, runs) {
      let twin = NaiveSurvival(runs.map(\.outcome))
      #expect(time.medianGrokkingEpoch == twin.median, "\(runs.map(\.outcome))")
      #expect(time.medianLow == twin.low, "\(runs.map(\.outcome))")
      #expect(time.medianHigh == twin.high, "\(runs.map(\.outcome))")
      #expect(time.censored == twin.censored.count)
    }
    #expect(times.contains { $0.medianHigh != nil } && times.contains { $0.medianGrokkingEpoch == nil })
  }

  @Test(arguments: [4, 5]) func `means and spreads are those of the definition`(seed: UInt64) throws {
    let runs = try randomRuns(settings: 60, seed: seed)
    let rows = try fixture.rows("SELECT * FROM grokking_times")
    for (row, runs) in zip(rows, runs) {
      let seen = runs.filter { $0.outcome.grokkingEpoch != nil }
      let logs: [Double] = seen.map { log10(Double($0.outcome.grokkingEpoch!)) }
      let whole = logs.count == runs.count && !logs.isEmpty
      let mean: Double? = whole ? pow(10.0, logs.reduce(0, +) / Double(logs.count)) : nil
      #expect(agree(row["geometric_mean_grokking_epoch"], mean))
      func pooled(_ groups: [[Double]]) -> Double? {
        let freedom = groups.map { $0.count - 1 }.reduce(0, +)
        var squares = 0.0
        for group in groups {
          let mean = group.reduce(0, +) / Double(group.count)
          for log in group { squares += (log - mean) * (log - mean) }
        }
        return freedom > 0 ? (squares / Double(freedom)).squareRoot() : nil
      }
      func groups(_ seed: (Experiment) -> UInt64) -> [[Double]] {
        var groups = [[Double]](repeating: [], count: 4)
        for (run, log) in zip(seen, logs) { groups[Int(seed(run.point.experiment))].append(log) }
        return groups.filter { !$0.isEmpty }
      }
      #expect(agree(row["log10_sd"], logs.isEmpty ? nil : pooled([logs])))
      #expect(agree(row["log10_sd_of_model_seed"], logs.isEmpty ? nil : pooled(groups(\.dataSeed))))
      #expect(agree(row["log10_sd_of_data_seed"], logs.isEmpty ? nil : pooled(groups(\.modelSeed))))
    }
  }

  @Test(arguments: [6, 7]) func `correlations are those of average ranks, counted one by one`(seed: UInt64) throws {
    let runs = try randomRuns(settings: 12, seed: seed)
    let last = runs.joined().compactMap(\.outcome.grokkingEpoch).max() ?? 0
    // At memorization: the evaluation at epoch 25 shows the loss of the start.
    let entering = runs.map { runs in
      runs.filter { run in
        guard let memorization = run.outcome.memorizationEpoch, memorization <= 25 else { return false }
        if let epoch = run.outcome.grokkingEpoch { return epoch > 25 }
        return (run.outcome.censoredAfter ?? 0) >= last
      }.map { (value: $0.lossAtStart, place: Double($0.outcome.grokkingEpoch ?? last + 1)) }
    }
    let row = try #require(
      try fixture.rows("SELECT * FROM predictors WHERE measure = 'train_loss' AND landmark = 'memorization'").first)
    let all = entering.flatMap { $0 }
    #expect(row["runs"] == all.count)
    #expect(row["left_out"] == runs.joined().count - all.count)
    let pooled = Self.rankProducts(all)
    #expect(agree(row["spearman"], pooled.vp / (pooled.vv * pooled.pp).squareRoot()))
    var (vv, vp, pp) = (0.0, 0.0, 0.0)
    for products in entering.map(Self.rankProducts) {
      vv += products.vv
      vp += products.vp
      pp += products.pp
    }
    #expect(agree(row["spearman_within_settings"], vp / (vv * pp).squareRoot()))
  }

  /// Sums of products of centred average ranks.
  private static func rankProducts(_ pairs: [(value: Double, place: Double)]) -> (vv: Double, vp: Double, pp: Double) {
    func ranks(_ numbers: [Double]) -> [Double] {
      numbers.map { number in
        let (less, equal) = (numbers.count { $0 < number }, numbers.count { $0 == number })
        return Double(2 * less + equal - numbers.count) / 2
      }
    }
    let (values, places) = (ranks(pairs.map(\.value)), ranks(pairs.map(\.place)))
    func sum(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    return (sum(values, values), sum(values, places), sum(places, places))
  }

  @Test func `a correlation that is not defined is absent`() throws {
    let sweep = Sample.sweep(weightDecays: [1], seeds: 4)
    _ = try fixture.store.register(sweep, at: Sample.now)
    for (index, epoch) in [600, 700].enumerated() {
      try fixture.store.finish(
        sweep.points[index].id, lease: Int64(index + 1), Sample.result(.grokked(memorization: 0, grokking: epoch)))
    }
    // Two runs are too few.
    let query = "SELECT spearman FROM predictors WHERE measure = 'train_loss' AND landmark = 'memorization'"
    #expect(try fixture.rows(query).map { $0[0] as Double? } == [nil])
    // Three with the same loss have no order.
    try fixture.store.finish(sweep.points[2].id, lease: 3, Sample.result(.grokked(memorization: 0, grokking: 800)))
    #expect(try fixture.rows(query).map { $0[0] as Double? } == [nil])
  }
}

/// The definition, one epoch after another, in floating point; the median in whole numbers.
private struct NaiveSurvival {
  var median: Int?
  var low: Int?
  var high: Int?
  let censored: [Int]

  init(_ outcomes: [Outcome]) {
    let seen = outcomes.compactMap(\.grokkingEpoch)
    censored = outcomes.compactMap(\.censoredAfter)
    // S as a fraction: at most eleven factors below twelve.
    var (numerator, denominator) = (1, 1)
    for epoch in Set(seen).sorted() {
      let events = seen.count { $0 == epoch }
      let atRisk = seen.count { $0 >= epoch } + censored.count { $0 >= epoch }
      numerator *= atRisk - events
      denominator *= atRisk
      if median == nil && 2 * numerator <= denominator { median = epoch }
      guard numerator > 0 else {
        if low == nil { low = epoch }
        break
      }
      let survival = Double(numerator) / Double(denominator)
      var sum = 0.0
      for earlier in Set(seen) where earlier <= epoch {
        let events = seen.count { $0 == earlier }
        let atRisk = seen.count { $0 >= earlier } + censored.count { $0 >= earlier }
        sum += Double(events) / Double(atRisk * (atRisk - events))
      }
      // The pointwise interval of S, by log(−log): its ends cross one half.
      let error: Double = 1.959963984540054 * sum.squareRoot() / -log(survival)
      let lower: Double = pow(survival, exp(error))
      let upper: Double = pow(survival, exp(-error))
      if low == nil && lower <= 0.5 { low = epoch }
      if high == nil && upper <= 0.5 { high = epoch }
    }
  }
}

private struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }
}
