// The page of one run: what was measured stands on it, and what was not does not.

import Foundation
import Grokking
import Reports
import Testing

@Suite struct RunPageTests {
  private static func evaluation(_ epoch: Int, cosines: Double?) -> Evaluation {
    Evaluation(
      epoch: epoch, trainLoss: 2e-7, testLoss: 3e-7, trainAccuracy: 1, testAccuracy: 1, giniW_E: 0.6, giniW_L: 0.7,
      sumSquaredWeights: 950, logitVarianceExplained: cosines, cosineLossTest: cosines.map { $0 / 1000 })
  }

  /// Modulus 113, one key frequency.
  private static var measured: RunResult {
    RunResult(
      outcome: .grokked(memorization: 140, grokking: 9312), epochs: 40_000,
      evaluations: [evaluation(0, cosines: 0.01), evaluation(40_000, cosines: 0.951)],
      keyFrequencies: [
        KeyFrequency(
          frequency: 14, norm: 20.5, excludedLoss: 3.5, cosineCoefficient: 44.25, neurons: 2, varianceExplainedU: 0.932,
          varianceExplainedV: 0.981)
      ],
      finalModel: FinalMeasures(
        normsW_E: [1, 2], normsW_L: [3, 4], keyFrequenciesW_E: [14, 35], keyFrequenciesNeurons: [14],
        neurons: [0.9, 0.86, 0.2].map { NeuronFit(frequency: 14, varianceExplained: $0) },
        heads: [HeadMeasures(attention: [0.5, 0.25, 0.25], frequency: 14, varianceExplained: 0.97)],
        rankResidual: 0.0055,
        ablations: [
          Ablation(.original, loss: 2e-7), Ablation(.neuronWaves, loss: 1e-7),
          Ablation(.withoutFrequency, frequency: 14, loss: 4),
        ]),
      crossings: [
        Crossing(measure: .trainAccuracy, threshold: 0.99, first: 140, sustained: 140),
        Crossing(measure: .testLoss, threshold: 0.01),
      ],
      phases: [
        Phase(.memorization, start: 0, end: 1400), Phase(.circuitFormation, start: 1400, end: 9400),
        Phase(.cleanup, start: 9400, end: nil),
      ],
      digests: [EpochDigest(epoch: 40_000, digest: String(repeating: "a", count: 64))], kernelPath: "avx2")
  }

  @Test func `the page of a run says when it grokked, through which phases, and what its model is`() {
    let page = RunPage.text(Self.measured, of: Experiment(), seconds: 400)
    let behind = page.components(separatedBy: "\n\n").dropFirst().joined(separator: "\n\n")
    #expect(
      behind == """
        grokked at epoch 9,312, 9,172 epochs after it had memorized at epoch 140
        phases: memorization from epoch 0 to 1,400, circuit formation from epoch 1,400 to 9,400, cleanup from epoch \
        9,400 on, to the end

        crossed                first at epoch  sustained from
        ─────────────────────  ──────────────  ──────────────
        train accuracy ≥ 0.99             140             140
        test loss ≤ 0.01                    –               –

        key frequency  norm in W_L  train loss without     α  neurons   FVE u   FVE v
        ─────────────  ───────────  ──────────────────  ────  ───────  ──────  ──────
                   14         20.5                 3.5  44.2        2  93.2 %  98.1 %

        key frequencies by W_E: 14, 35
        key frequencies by neurons: 14
        2 of 3 neurons over 85 % of one frequency
        outside the key directions: 0.55 % of the norm of W_L
        cosines of the key frequencies: 95.1 % of the logits' variance, test loss 9.51e-04

        head  attends to a    to b    to =  frequency     FVE
        ────  ────────────  ──────  ──────  ─────────  ──────
           0        50.0 %  25.0 %  25.0 %         14  97.0 %

        final model                         loss, all pairs  times the original
        ──────────────────────────────────  ───────────────  ──────────────────
        as it is                                   2.00e-07                   1
        neurons with only the waves of a+b         1.00e-07                 0.5
        logits without frequency 14                       4            2.00e+07

        40,000 epochs in 6 min 40 s (100 epochs/s, avx2)
        digest aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
        """)
  }

  @Test func `what an operation without waves does not have is not on its page`() {
    var result = Self.measured
    result.evaluations = [Self.evaluation(0, cosines: nil)]
    result.finalModel?.rankResidual = nil
    result.finalModel?.ablations = []
    result.phases = []
    result.keyFrequencies = [KeyFrequency(frequency: 14, norm: 20.5, excludedLoss: nil, neurons: 2)]
    let page = RunPage.text(result, of: Experiment(), seconds: 400)
    #expect(page.contains("2 of 3 neurons over 85 % of one frequency"))
    for words in ["phases", "outside the key directions", "cosines", "final model", "α", "FVE u"] {
      #expect(!page.contains(words), "\(words)")
    }
  }

  @Test(
    arguments: [
      (nil, 300, "generalized at epoch 300 and never memorized"),
      (400, 300, "generalized at epoch 300, before it had memorized (at epoch 400)"),
      (
        211, 951, "generalized at epoch 951, within one evaluation interval (1,000 epochs) of memorizing (at epoch 211)"
      ),
    ] as [(Int?, Int, String)])
  func `a run that generalized about when it memorized says how about`(
    memorization: Int?, grokking: Int, words: String
  ) {
    var (result, experiment) = (Self.measured, Experiment())
    result.outcome = .immediate(memorization: memorization, grokking: grokking)
    experiment.measure.evaluateEvery = 1000
    #expect(RunPage.text(result, of: experiment, seconds: 400).contains("\n\n\(words)\nphases"))
  }

  @Test func `losses of altered models of products are of pairs without a factor 0`() {
    let products = Experiment(task: LearningTask(operation: .multiply))
    let page = RunPage.text(Self.measured, of: products, seconds: 400)
    #expect(page.contains("loss, pairs without a factor 0  times the original"))
    #expect(!page.contains("all pairs"))
  }

  @Test func `a run that was stopped after grokking says so`() {
    var experiment = Experiment()
    #expect(!RunPage.text(Self.measured, of: experiment, seconds: 400).contains("stopped"))
    experiment.training.epochs = 60_000
    let page = RunPage.text(Self.measured, of: experiment, seconds: 400)
    #expect(page.contains("at epoch 140\nstopped after grokking, at epoch 40,000\nphases: "))
  }

  @Test func `of fifty key frequencies sixteen are shown, with their ablations`() {
    var result = Self.measured
    result.keyFrequencies = (1...50).map { KeyFrequency(frequency: $0, norm: 1, excludedLoss: nil) }
    result.finalModel?.ablations = (1...50).map { Ablation(.withoutFrequency, frequency: $0, loss: 1) }
    let page = RunPage.text(result, of: Experiment(), seconds: 400)
    #expect(page.contains("\n… and 34 more\n"))
    #expect(page.contains("logits without frequency 16 "))
    #expect(!page.contains("logits without frequency 17 "))
  }

  @Test func `a key frequency whose neurons were not counted has no number of them`() {
    var result = Self.measured
    result.finalModel = nil
    #expect(!RunPage.text(result, of: Experiment(), seconds: 400).contains("neurons"))
  }

  @Test func `the page of a diverged run ends with its end`() {
    var result = Self.measured
    result.outcome = .diverged(at: 77, memorization: nil, grokking: nil)
    result.evaluations = []
    (result.keyFrequencies, result.finalModel, result.crossings, result.phases) = ([], nil, [], [])
    let parts = RunPage.text(result, of: Experiment(), seconds: 400).components(separatedBy: "\n\n")
    #expect(parts.count == 3)
    #expect(parts[1] == "diverged at epoch 77: a loss was no longer finite")
  }
}
