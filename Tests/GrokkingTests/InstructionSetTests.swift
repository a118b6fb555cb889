// Long runs on every instruction set and with other blocks: not one bit may differ.

import Foundation
import Grokking
import Kernels
import Testing

@Suite struct InstructionSetTests {
  private static let sizes = [128, 48, 1000]

  /// All weights after the experiment's epochs.
  private func trained(_ experiment: Experiment, _ path: KernelPath, blockSize: Int) -> [UInt32] {
    let trainer = Trainer(experiment, start: Start(experiment), kernels: path, blockSize: blockSize)
    for _ in 0..<experiment.training.epochs { _ = trainer.step() }
    return trainer.weights.storage.map(\.bitPattern)
  }

  private func expectEqualBits(_ experiment: Experiment, of plan: StepPlan) {
    #expect(experiment.stepPlan(pairs: experiment.trainPairCount) == plan)
    let paths = KernelPath.available
    let expected = trained(experiment, paths[0], blockSize: 128)
    for (index, path) in paths.enumerated() where index > 0 {
      #expect(trained(experiment, path, blockSize: Self.sizes[index]) == expected, "\(path.rawValue)")
    }
  }

  @Test func `5,000 epochs of a small model end with the same bits`() {
    expectEqualBits(
      Experiment(
        task: LearningTask(modulus: 23, trainFraction: 0.5),
        model: ModelShape(dModel: 32, heads: 4, dMLP: 128, dVocabOut: 24), training: TrainingSettings(epochs: 5000)),
      of: StepPlan(input: .tables, output: .merged))
  }

  @Test func `1,000 epochs of a model with its residual stream kept end with the same bits`() {
    expectEqualBits(
      Experiment(
        task: LearningTask(modulus: 59, trainFraction: 0.3),
        model: ModelShape(dModel: 32, heads: 4, dMLP: 128, dVocabOut: 60), training: TrainingSettings(epochs: 1000)),
      of: StepPlan(input: .tables, output: .residual))
  }

  @Test func `1,000 epochs of models with pre-activations of each pair end with the same bits`() {
    let merged = Experiment(
      task: LearningTask(modulus: 13, trainFraction: 0.5),
      model: ModelShape(dModel: 64, heads: 4, dMLP: 256, dVocabOut: 14), training: TrainingSettings(epochs: 1000))
    let residual = Experiment(
      task: LearningTask(modulus: 113, trainFraction: 0.01),
      model: ModelShape(dModel: 64, heads: 4, dMLP: 256, dVocabOut: 114), training: TrainingSettings(epochs: 1000))
    expectEqualBits(merged, of: StepPlan(input: .direct, output: .merged))
    expectEqualBits(residual, of: StepPlan(input: .direct, output: .residual))
  }

  /// Half a minute, so only for `make test-science`; `TrainerTests` does the same for 20 epochs every time.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["GROKSWEEP_TEST_SCIENCE"] != nil))
  func `1,000 epochs at the paper's size end with the same bits`() {
    expectEqualBits(
      Experiment(training: TrainingSettings(epochs: 1000)), of: StepPlan(input: .tables, output: .merged))
  }
}
