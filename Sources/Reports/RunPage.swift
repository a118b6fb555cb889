// One finished run as a page of text: a dozen lines of its curve, what happened when, and what its final model is.
//
// What a run does not have is not on the page: an operation without waves has no ablations, a diverged run no model.

import Grokking

/// What `groksweep train` prints for people.
package enum RunPage {
  /// Evaluations shown of a longer curve: enough to see memorization, plateau and grokking.
  private static let shownEvaluations = 16
  /// Key frequencies and heads shown one by one; the paper's model has five and four, a model that only memorized may
  /// have fifty.
  private static let shownParts = 16

  package static func text(_ result: RunResult, of experiment: Experiment, seconds: Double) -> String {
    let rate = Double(result.epochs) / max(seconds, 1e-9)
    let cost =
      "\(Wording.grouped(result.epochs)) epochs in \(Wording.duration(seconds: seconds)) "
      + "(\(Wording.rate(rate)) epochs/s, \(result.kernelPath))"
    var parts = [curve(result.evaluations).text, story(result, experiment)]
    if !result.crossings.isEmpty { parts.append(crossings(result.crossings).text) }
    if !result.keyFrequencies.isEmpty {
      let neuronsAreKnown = result.finalModel?.neurons.isEmpty == false
      let shown = result.keyFrequencies.prefix(shownParts)
      parts.append(keyFrequencies(Array(shown), neuronsAreKnown: neuronsAreKnown).text + rest(result.keyFrequencies))
    }
    let facts = finalFacts(result)
    if !facts.isEmpty { parts.append(facts.joined(separator: "\n")) }
    if let heads = result.finalModel?.heads, !heads.isEmpty { parts.append(table(heads).text + rest(heads)) }
    if let ablations = result.finalModel?.ablations, !ablations.isEmpty {
      let hidden = result.keyFrequencies.dropFirst(shownParts).map(\.frequency)
      parts.append(table(ablations.filter { !hidden.contains($0.frequency ?? 0) }, of: experiment.task.operation).text)
    }
    parts.append("\(cost)\ndigest \(result.digest)")
    return parts.joined(separator: "\n\n")
  }

  /// A last line for a table of `all`, when not all are shown.
  private static func rest(_ all: [some Any]) -> String {
    all.count > shownParts ? "\n… and \(all.count - shownParts) more" : ""
  }

  /// The outcome in words; `evaluateEvery` is the interval that tells `immediate` from `grokked`.
  private static func sentence(_ outcome: Outcome, evaluateEvery: Int) -> String {
    func at(_ epoch: Int?) -> String { epoch.map { "at epoch \(Wording.grouped($0))" } ?? "never" }
    return switch outcome {
    case .grokked(let memorization, let grokking):
      "grokked \(at(grokking)), \(Wording.grouped(grokking - memorization)) epochs after it had memorized "
        + "\(at(memorization))"
    case .memorized(let memorization, let last):
      "memorized \(at(memorization)); had not grokked by epoch \(Wording.grouped(last)) (censored)"
    case .unfit(let last): "neither memorized nor grokked by epoch \(Wording.grouped(last)) (censored)"
    case .immediate(nil, let grokking): "generalized \(at(grokking)) and never memorized"
    case .immediate(let memorization?, let grokking) where grokking < memorization:
      "generalized \(at(grokking)), before it had memorized (\(at(memorization)))"
    case .immediate(let memorization, let grokking):
      "generalized \(at(grokking)), within one evaluation interval (\(Wording.grouped(evaluateEvery)) "
        + "\(evaluateEvery == 1 ? "epoch" : "epochs")) of memorizing (\(at(memorization)))"
    case .collapsed(let memorization, let grokking):
      "grokked \(at(grokking)) (memorized \(at(memorization))), and had lost it again by the end"
    case .diverged(let epoch, _, _): "diverged \(at(epoch)): a loss was no longer finite"
    }
  }

  /// The outcome, why the run ended early if it did, and its phases: a line each.
  private static func story(_ result: RunResult, _ experiment: Experiment) -> String {
    var lines = [sentence(result.outcome, evaluateEvery: experiment.measure.evaluateEvery)]
    if result.ending(of: experiment) == .afterGrokking {
      lines.append("stopped after grokking, at epoch \(Wording.grouped(result.epochs))")
    }
    let phases = result.phases.map { phase in
      let name = phase.name.rawValue.replacing("_", with: " ")
      let end = phase.end.map { "to \(Wording.grouped($0))" } ?? "on, to the end"
      return "\(name) from epoch \(Wording.grouped(phase.start)) \(end)"
    }
    if !phases.isEmpty { lines.append("phases: \(phases.joined(separator: ", "))") }
    return lines.joined(separator: "\n")
  }

  private static func curve(_ evaluations: [Evaluation]) -> TextTable {
    var table = TextTable([
      ("epoch", .right), ("train loss", .right), ("test loss", .right), ("train acc", .right), ("test acc", .right),
      ("restricted", .right), ("excluded", .right), ("gini W_E", .right), ("gini W_L", .right), ("Σ w²", .right),
    ])
    let stride = max(1, (evaluations.count + shownEvaluations - 2) / (shownEvaluations - 1))
    for (index, evaluation) in evaluations.enumerated()
    where index % stride == 0 || index == evaluations.count - 1 {
      table.append([
        Wording.grouped(evaluation.epoch), Wording.loss(evaluation.trainLoss), Wording.loss(evaluation.testLoss),
        Wording.share(evaluation.trainAccuracy), Wording.share(evaluation.testAccuracy),
        Wording.loss(evaluation.restrictedLoss), Wording.loss(evaluation.excludedLoss),
        Wording.fixed(evaluation.giniW_E, digits: 3), Wording.fixed(evaluation.giniW_L, digits: 3),
        Wording.fixed(evaluation.sumSquaredWeights, digits: 0),
      ])
    }
    return table
  }

  private static func crossings(_ crossings: [Crossing]) -> TextTable {
    var table = TextTable([("crossed", .left), ("first at epoch", .right), ("sustained from", .right)])
    for crossing in crossings {
      let sign = crossing.measure == .testLoss ? "≤" : "≥"
      table.append([
        "\(crossing.measure.rawValue.replacing("_", with: " ")) \(sign) \(Wording.loss(crossing.threshold))",
        Wording.epoch(crossing.first), Wording.epoch(crossing.sustained),
      ])
    }
    return table
  }

  /// With the columns that were measured: without waves, or without a look at the neurons, there are fewer.
  private static func keyFrequencies(_ frequencies: [KeyFrequency], neuronsAreKnown: Bool) -> TextTable {
    let columns: [(title: String, isMeasured: Bool, text: (KeyFrequency) -> String)] = [
      ("key frequency", true, { "\($0.frequency)" }), ("norm in W_L", true, { Wording.loss($0.norm) }),
      (
        "train loss without", frequencies.contains { $0.excludedLoss != nil }, { Wording.loss($0.excludedLoss) }
      ),
      ("α", frequencies.contains { $0.cosineCoefficient != nil }, { Wording.loss($0.cosineCoefficient) }),
      ("neurons", neuronsAreKnown, { "\($0.neurons)" }),
      ("FVE u", frequencies.contains { $0.varianceExplainedU != nil }, { Wording.share($0.varianceExplainedU) }),
      ("FVE v", frequencies.contains { $0.varianceExplainedV != nil }, { Wording.share($0.varianceExplainedV) }),
    ].filter(\.isMeasured)
    var table = TextTable(columns.map { ($0.title, .right) })
    for key in frequencies { table.append(columns.map { $0.text(key) }) }
    return table
  }

  /// One line for each fact of the final model that was measured.
  private static func finalFacts(_ result: RunResult) -> [String] {
    var facts: [String] = []
    if let final = result.finalModel {
      func list(_ frequencies: [Int]) -> String {
        frequencies.isEmpty ? "none" : frequencies.map(String.init).joined(separator: ", ")
      }
      if !final.normsW_E.isEmpty { facts.append("key frequencies by W_E: \(list(final.keyFrequenciesW_E))") }
      if !final.neurons.isEmpty {
        facts.append("key frequencies by neurons: \(list(final.keyFrequenciesNeurons))")
        facts.append(
          "\(final.neuronsOver85) of \(Wording.count(final.neurons.count, "neuron")) over 85 % of one frequency")
      }
      if let residual = final.rankResidual {
        facts.append("outside the key directions: \(Wording.percent(residual)) of the norm of W_L")
      }
    }
    if let evaluation = result.final, let share = evaluation.logitVarianceExplained {
      facts.append(
        "cosines of the key frequencies: \(Wording.share(share)) of the logits' variance, test loss "
          + Wording.loss(evaluation.cosineLossTest))
    }
    return facts
  }

  private static func table(_ heads: [HeadMeasures]) -> TextTable {
    var table = TextTable([
      ("head", .right), ("attends to a", .right), ("to b", .right), ("to =", .right), ("frequency", .right),
      ("FVE", .right),
    ])
    for (place, head) in heads.prefix(shownParts).enumerated() {
      table.append(
        ["\(place)"] + head.attention.map { Wording.share($0) } + [
          "\(head.frequency)", Wording.share(head.varianceExplained),
        ])
    }
    return table
  }

  private static func table(_ ablations: [Ablation], of operation: Operation) -> TextTable {
    // Products have waves, and so ablations, along logarithms only, which 0 does not have.
    let pairs = operation == .multiply ? "pairs without a factor 0" : "all pairs"
    var table = TextTable([("final model", .left), ("loss, \(pairs)", .right), ("times the original", .right)])
    let original = ablations.first { $0.name == .original }?.loss
    for ablation in ablations {
      let ratio = original.flatMap { $0 > 0 ? ablation.loss / $0 : nil }
      table.append([words(ablation), Wording.loss(ablation.loss), Wording.loss(ratio)])
    }
    return table
  }

  private static func words(_ ablation: Ablation) -> String {
    switch ablation.name {
    case .original: "as it is"
    case .neuronPolynomials: "neurons as polynomials of one frequency"
    case .neuronWaves: "neurons with only the waves of a+b"
    case .logitBlocks: "logits with only the key frequencies' blocks"
    case .withoutFrequency: "logits without frequency \(ablation.frequency ?? 0)"
    case .onlyKeyFrequencies: "logits with only the key frequencies"
    case .keyDirections: "neurons in the key directions only"
    case .keyDirectionsComplement: "neurons outside the key directions only"
    case .noSkip: "without the skip around the MLP"
    }
  }
}
