// `groksweep plan`: what a sweep file would run. Writes nothing, starts nothing.

import ArgumentParser
import Foundation
import Grokking
import Reports
import Results
import Sweeps

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Print what a sweep file would run.",
    discussion: """
      Points, how many the store already knows, and an estimate of their cost by what earlier runs in the store took. \
      Of a sweep that the store knows with another file: what applying this one would add and withdraw. --json prints \
      one line per point, in the order in which they are handed out: the costliest first.
      """)

  @Argument(help: "A sweep file.") var file: String
  @OptionGroup var overrides: Overrides
  @Option(help: "The store to compare with (default: the sweep's name with .sqlite, when it exists).")
  var store: String?
  @Flag(help: "One JSON object per point.") var json = false

  /// Settings listed before the rest is only counted.
  private static let shownSettings = 30

  func run() throws {
    let sweep = try readSweepFile(file, overrides)
    let store = try knownStore(sweep.name)
    let points = try store?.points(of: sweep) ?? sweep.points
    let known = try Known(points, of: sweep, in: store)
    if json {
      for place in HandOutOrder.places(of: points.indices.map { points.described(at: $0).experiment }) {
        Console.print(try PlanLine(points[place], known.states?[place], pace: known.pace).text())
      }
    } else {
      Console.print(page(of: points, known, sweep: sweep))
    }
  }

  /// nil when there is none to compare with.
  private func knownStore(_ sweep: String) throws -> Store? {
    let path = store ?? "\(sweep).sqlite"
    if store == nil && !FileManager.default.fileExists(atPath: path) { return nil }
    return try Store(path: path, mode: .readOnly)
  }

  /// What a store says of a sweep's points.
  private struct Known {
    /// In the points' order; nil for those that the store has not seen, and instead of all of them where there is no
    /// store: then no id is needed, which would take most of the time.
    var states: [PointState?]?
    /// Of a sweep that is there with another file.
    var change: SweepChange?
    var differences: [String] = []
    /// Seconds that runs took for each that was estimated, on average, and how many there were; 1 and 0 without any.
    var pace = 1.0
    var runs = 0

    init(_ points: SweepPoints, of sweep: SweepFile, in store: Store?) throws {
      guard let store else { return }
      let all = Array(points)
      states = try store.states(of: all.map(\.id))
      change = try store.change(by: SweepRegistration(sweep, points: all))
      if change != nil, let text = try store.canonicalText(ofSweep: sweep.name) {
        differences = sweep.differences(from: text)
      }
      let ratios = try store.hostPaces().flatMap(\.ratios)
      runs = ratios.count
      if runs > 0 { pace = ratios.reduce(0, +) / Double(runs) }
    }
  }

  private func page(of points: SweepPoints, _ known: Known, sweep: SweepFile) -> String {
    var settings: [(label: String, points: Int, finished: Int, cost: Double)] = []
    var places: [String: Int] = [:]
    var last = (setting: "", place: -1)
    for position in points.indices {
      let (experiment, setting) = points.described(at: position)
      // Seeds vary fastest, as a rule: then the place is that of the point before.
      if last.place < 0 || last.setting != setting {
        let place = places[setting] ?? settings.count
        if place == settings.count {
          places[setting] = place
          settings.append((setting, 0, 0, 0))
        }
        last = (setting, place)
      }
      settings[last.place].points += 1
      if known.states?[position] == .finished {
        settings[last.place].finished += 1
      } else {
        settings[last.place].cost += experiment.estimatedCoreSeconds * known.pace
      }
    }
    var table = TextTable([("setting", .left), ("points", .right), ("finished", .right), ("core time", .right)])
    for setting in settings.prefix(Self.shownSettings) {
      table.append([
        setting.label.isEmpty ? "(all points)" : setting.label, "\(setting.points)", "\(setting.finished)",
        Wording.duration(seconds: setting.cost),
      ])
    }
    let finished = known.states?.count { $0 == .finished } ?? 0
    let cost = settings.reduce(0) { $0 + $1.cost }
    var lines = [
      "\(sweep.name): \(Wording.count(points.count, "point")), \(finished) finished, "
        + "\(points.count - finished) to run in about \(Wording.duration(seconds: cost)) of core time "
        + (known.runs > 0
          ? "(by what \(Wording.count(known.runs, "run")) in the store took)" : "(estimate)")
    ]
    if let plan = sweep.boundary { lines += Self.lines(of: plan, now: points.count) }
    if let change = known.change {
      lines.append("The store knows this sweep with another file. Applying this one: \(change.words)")
      lines += known.differences.map { "  \($0)" }
    }
    lines += ["", table.text]
    if settings.count > Self.shownSettings {
      lines.append("… and \(settings.count - Self.shownSettings) more settings")
    }
    return lines.joined(separator: "\n")
  }
}

extension PlanCommand {
  /// What a search begins with and may come to.
  fileprivate static func lines(of plan: BoundaryPlan, now: Int) -> [String] {
    let start = plan.start.count
    let begin = now == start ? "These are" : "It began with"
    let share = Int((100 * Double(plan.mostPoints) / Double(plan.gridCount)).rounded())
    var most = "at most \(plan.mostPoints) points (\(share) %)"
    if let once = plan.mostPointsForOneChange, once < plan.mostPoints {
      most = "at most \(once) points when the outcome changes once in each search, and \(most) whatever comes"
    }
    return [
      "\(Wording.count(plan.searchCount, "search", plural: "searches")) for where the outcome changes. \(begin) "
        + "\(Wording.count(start, "point")) of the \(plan.gridCount) that the whole grid has at this resolution; "
        + "refining takes \(most)."
    ]
  }
}

/// One point as `plan --json` prints it: its id, the experiment's values by their column names, state and cost.
private struct PlanLine {
  let point: Point
  let state: String
  /// Seconds that a point takes for each that is estimated.
  let pace: Double

  init(_ point: Point, _ state: PointState?, pace: Double) {
    self.point = point
    self.state = state?.rawValue ?? "new"
    self.pace = pace
  }

  private struct Line: Encodable {
    let point: String
    let setting: String
    let operation: String
    let modulus: Int
    let train_fraction: Double
    let d_model: Int
    let heads: Int
    let d_mlp: Int
    let activation: String
    let biases: Bool
    let d_vocab_out: Int
    let max_epochs: Int
    let learning_rate: Double
    let weight_decay: Double
    let beta1: Double
    let beta2: Double
    let epsilon: Double
    let warmup_epochs: Int
    let evaluate_every: Int
    let after_grokking: Int?
    let label_noise: Double
    let initialization_scale: Double
    let batch_size: Int?
    let optimizer: String
    let schedule: String
    let momentum: Double
    let l1: Double
    let grokfast_alpha: Double
    let grokfast_lambda: Double
    let model_seed: UInt64
    let data_seed: UInt64
    let state: String
    let cost_core_seconds: Double
  }

  func text() throws -> String {
    let (task, model, training) = (point.experiment.task, point.experiment.model, point.experiment.training)
    return try jsonLine(
      Line(
        point: point.id.hex, setting: point.setting, operation: task.operation.rawValue, modulus: task.modulus,
        train_fraction: task.trainFraction, d_model: model.dModel, heads: model.heads, d_mlp: model.dMLP,
        activation: model.activation.rawValue, biases: model.biases, d_vocab_out: model.dVocabOut,
        max_epochs: training.epochs, learning_rate: training.learningRate, weight_decay: training.weightDecay,
        beta1: training.beta1, beta2: training.beta2, epsilon: training.epsilon,
        warmup_epochs: training.warmupEpochs, evaluate_every: point.experiment.measure.evaluateEvery,
        after_grokking: point.experiment.stop.afterGrokking,
        label_noise: task.labelNoise, initialization_scale: model.initializationScale,
        batch_size: training.batchSize, optimizer: training.optimizer.rawValue,
        schedule: training.schedule.rawValue, momentum: training.momentum, l1: training.l1,
        grokfast_alpha: training.grokfastAlpha, grokfast_lambda: training.grokfastLambda,
        model_seed: point.experiment.modelSeed,
        data_seed: point.experiment.dataSeed, state: state,
        cost_core_seconds: (point.experiment.estimatedCoreSeconds * pace * 1000).rounded() / 1000))
  }
}
