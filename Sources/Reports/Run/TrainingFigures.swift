// Figures of a run over its training: curves of what every evaluation measured (Nanda et al. 2023, figures 2 and 7).

import Figures
import Grokking

extension RunSubject {
  var outcomeSentence: String {
    func epoch(_ value: Int) -> String { "epoch \(Wording.grouped(value))" }
    return switch result.outcome {
    case .grokked(let memorization, let grokking):
      "This run memorized at \(epoch(memorization)) and grokked at \(epoch(grokking)), "
        + "\(Wording.grouped(grokking - memorization)) epochs later."
    case .memorized(let memorization, let last):
      "This run memorized at \(epoch(memorization)) and had not grokked by \(epoch(last)), its last (censored)."
    case .unfit(let last): "This run had neither memorized nor grokked by \(epoch(last)), its last (censored)."
    case .immediate(_, let grokking):
      "This run generalized at \(epoch(grokking)), together with memorizing or before it: there is no delay to speak of."
    case .collapsed(_, let grokking): "This run grokked at \(epoch(grokking)), and had lost it again by the end."
    case .diverged(let at, _, _): "This run diverged at \(epoch(at)): a loss was no longer finite."
    }
  }

  var losses: Drawn {
    let last = evaluations.last
    return Drawn(
      caption:
        "Mean cross-entropy over the train and the test pairs (Nanda et al. 2023, figure 2). Look for the plateau: train loss "
        + "falls early, test loss stays high until it falls too. \(outcomeSentence) At the last evaluation: train "
        + "\(Wording.loss(last?.trainLoss)), test \(Wording.loss(last?.testLoss)) nats.",
      panels: [
        Panel(
          x: epochs(), y: Axis("Loss (nats)", .logarithmic),
          marks: [
            .line(Line("train", curve(\.trainLoss), .series(0))), .line(Line("test", curve(\.testLoss), .series(1))),
          ], references: milestones)
      ], table: table([("train_loss", \.trainLoss), ("test_loss", \.testLoss)]))
  }

  var accuracies: Drawn {
    let last = evaluations.last
    return Drawn(
      caption:
        "Share of pairs answered right. Memorized is a train accuracy of 99 %, grokked a test accuracy of 99 %. "
        + "\(outcomeSentence) At the last evaluation: train \(Wording.share(last?.trainAccuracy)), test "
        + "\(Wording.share(last?.testAccuracy)).",
      panels: [
        Panel(
          x: epochs(), y: Axis("Accuracy", including: [0, 1]),
          marks: [
            .line(Line("train", curve(\.trainAccuracy), .series(0))),
            .line(Line("test", curve(\.testAccuracy), .series(1))),
          ], references: milestones)
      ], table: table([("train_accuracy", \.trainAccuracy), ("test_accuracy", \.testAccuracy)]))
  }

  var progress: Drawn {
    let last = evaluations.last
    let lowest = evaluations.compactMap(\.excludedLoss).min()
    return Drawn(
      caption:
        "Restricted loss (of the key frequencies \(keysInWords) alone, all pairs) and excluded loss (of everything but them, train "
        + "pairs) beside the losses (Nanda et al. 2023, figure 7). Look for restricted loss falling while test loss is still "
        + "high: the algorithm forms before it shows. And look for excluded loss falling with memorization (here "
        + "to \(Wording.loss(lowest))) and rising as the model comes to rely on its frequencies. At the end: restricted "
        + "\(Wording.loss(last?.restrictedLoss)), excluded \(Wording.loss(last?.excludedLoss)) nats. \(phasesSentence)\(focusSentence)",
      panels: [
        Panel(
          x: epochs(focused: true), y: Axis("Loss (nats)", .logarithmic),
          marks: [
            .line(Line("train", curve(\.trainLoss), .series(0))), .line(Line("test", curve(\.testLoss), .series(1))),
            .line(Line("restricted", curve(\.restrictedLoss), .series(2))),
            .line(Line("excluded", curve(\.excludedLoss), .series(3))),
          ], shades: shades, references: grokkingLine)
      ], shape: .height(300),
      table: table([
        ("train_loss", \.trainLoss), ("test_loss", \.testLoss), ("restricted_loss", \.restrictedLoss),
        ("restricted_loss_train", \.restrictedLossTrain), ("restricted_loss_test", \.restrictedLossTest),
        ("excluded_loss", \.excludedLoss),
      ]))
  }

  var ginis: Drawn {
    let last = evaluations.last
    return Drawn(
      caption:
        "How unequal the norms of the frequencies are in W_E and in W_L: 0 when all are equal, towards 1 when few carry everything "
        + "(Nanda et al. 2023, figure 7). Look for the rise during cleanup. At the last evaluation: W_E "
        + "\(NumberText.value(last?.giniW_E)), W_L \(NumberText.value(last?.giniW_L)). \(phasesSentence)\(focusSentence)",
      panels: [
        Panel(
          x: epochs(focused: true), y: Axis("Gini coefficient", including: [0]),
          marks: [
            .line(Line("W_E", curve(\.giniW_E), .series(0))), .line(Line("W_L", curve(\.giniW_L), .series(1))),
          ], shades: shades, references: grokkingLine)
      ], shape: .height(220), table: table([("gini_w_e", \.giniW_E), ("gini_w_l", \.giniW_L)]))
  }

  var sumsOfSquares: Drawn {
    let last = evaluations.last
    let tensors = TensorName.allCases.enumerated().filter { index, _ in
      evaluations.contains { $0.sumSquaredByTensor.indices.contains(index) && $0.sumSquaredByTensor[index] != nil }
    }
    func sum(_ index: Int) -> (Evaluation) -> Double? {
      { $0.sumSquaredByTensor.indices.contains(index) ? $0.sumSquaredByTensor[index] : nil }
    }
    return Drawn(
      caption:
        "Sum of the squares of all weights (Nanda et al. 2023, figure 7), which weight decay pulls down. Look for the steep fall "
        + "during cleanup, when the weights that memorize are given up. At the last evaluation it is "
        + "\(NumberText.value(last?.sumSquaredWeights)). The table has it for each tensor. \(phasesSentence)\(focusSentence)",
      panels: [
        Panel(
          x: epochs(focused: true), y: Axis("Σ w²", including: [0]),
          marks: [.line(Line("Σ w²", curve(\.sumSquaredWeights), .series(0)))], shades: shades, references: grokkingLine
        )
      ], shape: .height(220),
      table: table(
        [("sum_squared_weights", \.sumSquaredWeights)]
          + tensors.map { ("sum_squared_\("\($1)".lowercased())", sum($0)) }))
  }

  /// The value of one key frequency at each evaluation.
  private func byFrequency(
    _ frequency: Int, _ value: @escaping (KeyFrequencyMeasures) -> Double
  ) -> (Evaluation) -> Double? {
    { evaluation in evaluation.keyFrequencies.first { $0.frequency == frequency }.map(value) }
  }

  var excludedByFrequency: Drawn {
    let keys = shownKeys.map(\.frequency)
    let ends = shownKeys.compactMap { key in key.excludedLoss.map { "\(key.frequency): \(Wording.loss($0))" } }
    return Drawn(
      caption:
        "Loss on the train pairs with one key frequency removed from the logits. Look for when each begins to matter: from there "
        + "on removing it costs more than it did. At the end: \(ends.joined(separator: ", ")) nats, against a train loss of "
        + "\(Wording.loss(evaluations.last?.trainLoss)).\(hiddenKeysSentence)\(focusSentence)",
      panels: [
        Panel(
          x: epochs(focused: true), y: Axis("Excluded loss (nats)", .logarithmic),
          marks: [.line(Line("train loss", curve(\.trainLoss), .series(6), isDashed: true, width: 1.2))]
            + keys.enumerated().map { index, k in
              .line(Line("without \(k)", curve(byFrequency(k, \.excludedLoss)), .series(index % 6)))
            }, shades: shades, references: grokkingLine)
      ],
      table: table(
        [("train_loss", \.trainLoss)] + keys.map { ("excluded_loss_\($0)", byFrequency($0, \.excludedLoss)) }))
  }

  var cosineCoefficients: Drawn {
    let keys = shownKeys.map(\.frequency)
    let ends = shownKeys.compactMap { key in
      key.cosineCoefficient.map { "\(key.frequency): \(NumberText.value($0))" }
    }
    let wave = circle.isLogarithmic ? "log a + log b − log c" : operation == .subtract ? "a−b−c" : "a+b−c"
    return Drawn(
      caption:
        "The least-squares α_k of logits ≈ Σ α_k cos(2πk(\(wave))/n) for the key frequencies k. Look for which grow together: each "
        + "is one wave of the algorithm. At the end: \(ends.joined(separator: ", ")); together they explain "
        + "\(Wording.share(evaluations.last?.logitVarianceExplained)) of the logits' variance.\(hiddenKeysSentence)\(focusSentence)",
      panels: [
        Panel(
          x: epochs(focused: true), y: Axis("α_k (logit units)", including: [0]),
          marks: keys.enumerated().map { index, k in
            .line(Line("k = \(k)", curve(byFrequency(k, \.cosineCoefficient)), .series(index % 8)))
          }, shades: shades, references: grokkingLine)
      ],
      table: table(
        keys.map { ("cosine_coefficient_\($0)", byFrequency($0, \.cosineCoefficient)) }
          + [("logit_fve", \.logitVarianceExplained)]))
  }
}
