// What pictures of one run are drawn from: its result as the store has it, and where it is known its final model's weights.

import Figures
import Grokking
import Sweeps

package struct RunSubject: Sendable {
  /// What the final weights give, or why there are none.
  package enum Weights: Sendable {
    case known(ModelMaps)
    /// A sentence.
    case absent(String)
  }

  package var point: PointID
  package var experiment: Experiment
  package var result: RunResult
  package var weights: Weights

  package init(point: PointID, experiment: Experiment, result: RunResult, weights: Weights) {
    self.point = point
    self.experiment = experiment
    self.result = result
    self.weights = weights
  }

  /// Key frequencies drawn one by one; a model that only memorized may have fifty.
  static let shownFrequencies = 8

  /// The grids that figures show of a model: for each of the strongest key frequencies the neuron that it explains best,
  /// and its circle of tokens. Neurons are those of the largest share where there are no key frequencies.
  ///
  /// - Throws: `AnalysisError`.
  package static func maps(
    of model: ModelFile, _ experiment: Experiment, _ result: RunResult
  ) throws(AnalysisError) -> ModelMaps {
    let keys = result.keyFrequencies.sorted { $0.norm > $1.norm }.prefix(shownFrequencies).map(\.frequency).sorted()
    let neurons = result.finalModel?.neurons ?? []
    var chosen: [Int] = []
    for key in keys {
      let ofKey = neurons.indices.filter { neurons[$0].frequency == key && neurons[$0].varianceExplained > 0 }
      if let best = ofKey.max(by: { neurons[$0].varianceExplained < neurons[$1].varianceExplained }) {
        chosen.append(best)
      }
    }
    if chosen.isEmpty {
      chosen = Array(
        neurons.indices.sorted { neurons[$0].varianceExplained > neurons[$1].varianceExplained }.prefix(4))
    }
    return try ModelMaps(
      weights: model.weights, activation: experiment.model.activation, operation: experiment.task.operation,
      neurons: Array(chosen.prefix(6)), frequencies: keys)
  }
}

extension RunSubject {
  var evaluations: [Evaluation] { result.evaluations }
  var operation: Grokking.Operation { experiment.task.operation }
  /// The frequencies' names for people: of discrete logarithms for products.
  var circle: Circle { Circle(of: operation, modulus: experiment.task.modulus) }

  /// Every evaluation's value of one measure.
  func curve(_ value: (Evaluation) -> Double?) -> [Line.Point] {
    evaluations.map { Line.Point(Double($0.epoch), value($0)) }
  }

  /// A table of the epochs and some measures of every evaluation.
  func table(_ columns: [(name: String, value: (Evaluation) -> Double?)]) -> DataTable {
    DataTable(
      columns: ["epoch"] + columns.map(\.name),
      rows: evaluations.map { evaluation in
        [.init(evaluation.epoch)] + columns.map { .init($0.value(evaluation)) }
      })
  }

  /// The phases as shades.
  var shades: [Shade] {
    result.phases.map { phase in
      let paint: Paint =
        switch phase.name {
        case .memorization: .shade(0)
        case .circuitFormation: .shade(1)
        case .cleanup: .shade(2)
        }
      return Shade(
        phase.name.rawValue.replacing("_", with: " "), from: Double(phase.start), to: phase.end.map(Double.init), paint)
    }
  }

  /// `Memorization to epoch 1,400, circuit formation to 2,500, cleanup to 9,700.`
  var phasesSentence: String {
    guard !result.phases.isEmpty else { return "No phases could be told apart." }
    let parts = result.phases.map { phase in
      let name = phase.name.rawValue.replacing("_", with: " ")
      return phase.end.map { "\(name) to epoch \(Wording.grouped($0))" } ?? "\(name) to the end"
    }
    let sentence = parts.joined(separator: ", ")
    return sentence.prefix(1).uppercased() + sentence.dropFirst() + "."
  }

  /// Where the picture of what happened ends: well past cleanup and past grokking, when the run went on for long after both.
  var focus: ClosedRange<Double>? {
    guard let last = evaluations.last?.epoch, let end = result.phases.last(where: { $0.name == .cleanup })?.end
    else { return nil }
    let enough = max(1.6 * Double(end), 1.15 * Double(result.outcome.grokkingEpoch ?? 0))
    return enough < Double(last) * 0.75 ? 0...enough : nil
  }

  /// An axis of epochs; where it is cut short, the caption says so by `focusSentence`.
  func epochs(focused: Bool = false) -> Axis { Axis("Epoch", limits: focused ? focus : nil) }

  var focusSentence: String {
    guard let focus, let last = evaluations.last?.epoch else { return "" }
    return " Shown to epoch \(Wording.grouped(Int(focus.upperBound))) of \(Wording.grouped(last)); the table has all."
  }

  /// Lines where the run memorized and grokked.
  var milestones: [Reference] {
    [
      result.outcome.memorizationEpoch.map {
        Reference(.vertical, at: Double($0), "train accuracy 99 % (epoch \(Wording.grouped($0)))", .series(0))
      },
      result.outcome.grokkingEpoch.map {
        Reference(.vertical, at: Double($0), "test accuracy 99 % (epoch \(Wording.grouped($0)))", .series(1))
      },
    ].compactMap { $0 }
  }

  /// A line where the run grokked, for figures that are not of accuracies.
  var grokkingLine: [Reference] {
    result.outcome.grokkingEpoch.map {
      [Reference(.vertical, at: Double($0), "grokked (epoch \(Wording.grouped($0)))", .ink)]
    } ?? []
  }

  /// Key frequencies to draw one by one, ascending; the strongest, when there are very many.
  var shownKeys: [KeyFrequency] {
    result.keyFrequencies.sorted { ($1.norm, $0.frequency) < ($0.norm, $1.frequency) }.prefix(Self.shownFrequencies)
      .sorted { $0.frequency < $1.frequency }
  }

  /// ` Only the 8 strongest of 50 key frequencies are shown.`, or nothing.
  var hiddenKeysSentence: String {
    let (shown, all) = (shownKeys.count, result.keyFrequencies.count)
    return shown < all ? " Only the \(shown) strongest of \(all) key frequencies are shown." : ""
  }

  /// `6, 11, 22 and 24`.
  var keysInWords: String { RunSubject.list(result.keyFrequencies.map(\.frequency)) }

  static func list(_ numbers: [Int]) -> String {
    guard numbers.count <= 12 else { return "\(numbers.prefix(10).map(String.init).joined(separator: ", ")), …" }
    let words = numbers.map(String.init)
    return words.count < 2
      ? words.joined() : words.dropLast().joined(separator: ", ") + " and " + words[words.count - 1]
  }

  /// Why an operation has none of what needs waves; nil for one that has.
  var wavesAbsence: String? {
    Waves(of: operation, modulus: experiment.task.modulus) == nil
      ? "The operation \(operation.rawValue) modulo \(experiment.task.modulus) is not known to be computed by waves of one "
        + "frequency, so this is not measured." : nil
  }

  /// Why a run has no measures of its final model; nil for one that has.
  var modelAbsence: String? {
    if case .diverged(let epoch, _, _) = result.outcome {
      return "The run diverged at epoch \(Wording.grouped(epoch)), so it has no final model to take apart."
    }
    return result.finalModel == nil
      ? "The final model was not measured: its logits are beyond all bounds, or an old groksweep stored the run." : nil
  }
}
