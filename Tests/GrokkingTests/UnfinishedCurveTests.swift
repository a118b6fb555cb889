// The curve out of a checkpoint is that of the run.

import Grokking
import Kernels
import Testing

@Suite struct UnfinishedCurveTests {
  private static let experiment = Experiment(
    task: LearningTask(modulus: 13, trainFraction: 0.6),
    model: ModelShape(dModel: 16, heads: 2, dMLP: 32, dVocabOut: 14),
    training: TrainingSettings(epochs: 400, weightDecay: 0.5), measure: MeasureSettings(evaluateEvery: 100))

  @Test func `a checkpoint in the middle has the evaluations up to there, with the result's numbers`() throws {
    let run = try Run(Self.experiment, kernels: .choose(), snapshots: .inMemory())
    while run.progress.epoch < 250 { try run.advance() }
    let curve = try UnfinishedCurve(checkpoint: run.checkpoint())
    while !run.isFinished { try run.advance() }
    let stored = try run.result().evaluations.prefix(3)
    #expect(curve.epoch == 250)
    #expect(curve.lastEpoch == 400)
    #expect(curve.places.map(\.epoch) == [0, 100, 200])
    #expect(curve.places.map(\.testLoss) == stored.map(\.testLoss))
    #expect(curve.places.map(\.trainAccuracy) == stored.map(\.trainAccuracy))
  }

  @Test func `bytes that are no checkpoint, or a part of one, are refused`() throws {
    let run = try Run(Self.experiment, kernels: .choose(), snapshots: .inMemory())
    while run.progress.epoch < 50 { try run.advance() }
    let whole = try run.checkpoint()
    for bytes in [[], Array("groksweep checkpoint 1\n".utf8), Array(whole.prefix(40)), Array(whole.prefix(200))] {
      #expect(throws: CheckpointError.self) { try UnfinishedCurve(checkpoint: bytes) }
    }
  }
}
