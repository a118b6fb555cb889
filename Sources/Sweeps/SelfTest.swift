// A small run whose digest is known: a machine that gives another one computes wrongly, and gets no points.
//
// Every worker process runs it when it starts and tells the coordinator what came of it. The coordinator refuses the
// machine, not the worker itself: so the reason stands in the log that people read.

import Grokking

package enum SelfTest {
  /// p = 7, d_model = 8, 60 epochs: a few milliseconds.
  package static let experiment = Experiment(
    task: LearningTask(modulus: 7, trainFraction: 0.5),
    model: ModelShape(dModel: 8, heads: 2, dMLP: 16, dVocabOut: 8), training: TrainingSettings(epochs: 60),
    measure: MeasureSettings(evaluateEvery: 20))

  /// On every instruction set, as long as the engine's semantics stay the same.
  package static let digest = "33791b4655fcb586d301739a2a3ca6715996813b7201158551236a68af4ae75a"
}
