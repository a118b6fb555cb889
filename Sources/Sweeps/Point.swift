// A point of a sweep: an experiment and the hash that names it for ever, everywhere. The same work asked for twice, by
// two sweeps or two databases, has the same id and is computed once.

import Crypto
import Grokking

/// One experiment of a sweep.
package struct Point: Hashable, Sendable {
  package let id: PointID
  package let experiment: Experiment
  /// The swept values without seeds, in the order of the axes: `weight_decay=1 train_fraction=0.3`; "" if none is
  /// swept. Points of one sweep that differ in their seeds only have the same setting.
  package let setting: String

  /// Hashes the experiment: a few microseconds.
  package init(experiment: Experiment, setting: String) {
    id = PointID(of: experiment)
    self.experiment = experiment
    self.setting = setting
  }
}

extension PointID {
  /// SHA-256 of `canonicalText(of:)` in UTF-8.
  package init(of experiment: Experiment) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(512)
    Self.canonical(of: experiment).write(to: &bytes)
    var hex: [UInt8] = []
    hex.reserveCapacity(64)
    let digits = Array("0123456789abcdef".utf8)
    for byte in SHA256.hash(data: bytes) {
      hex.append(digits[Int(byte >> 4)])
      hex.append(digits[Int(byte & 15)])
    }
    self.init(hex: String(decoding: hex, as: UTF8.self))!
  }

  /// What the id is the hash of: the experiment and the engine's semantics version as canonical JSON.
  package static func canonicalText(of experiment: Experiment) -> String { canonical(of: experiment).text }

  private static func canonical(of experiment: Experiment) -> CanonicalJSON {
    .object([
      .init("experiment", experiment.canonical), .init("semantics", .number(Double(Engine.semanticsVersion))),
    ])
  }
}

extension Experiment {
  /// Every value under its sweep-file key. A value that is absent is left out; so is, for ever, every key that is
  /// younger than semantics version 1 and at its default, so that old points keep their ids. Seeds must be below 2^53,
  /// as sweep files demand.
  package var canonical: CanonicalJSON {
    precondition(max(modelSeed, dataSeed) < 1 << 53, "seeds \(modelSeed), \(dataSeed) do not fit JSON")
    // Members stand in sorted order, so that writing does not have to sort them.
    var members: [CanonicalJSON.Member] = []
    members.reserveCapacity(7)
    members.append(.init("data_seed", .number(Double(dataSeed))))
    members.append(.init("measure", .object([.init("evaluate_every", .number(Double(measure.evaluateEvery)))])))
    members.append(
      .init(
        "model",
        .object([
          .init("activation", .text(model.activation.rawValue)),
          .init("biases", .flag(model.biases)),
          .init("d_mlp", .number(Double(model.dMLP))),
          .init("d_model", .number(Double(model.dModel))),
          .init("d_vocab_out", .number(Double(model.dVocabOut))),
          .init("heads", .number(Double(model.heads))),
        ])))
    members.append(.init("model_seed", .number(Double(modelSeed))))
    let afterGrokking = stop.afterGrokking.map { CanonicalJSON.Member("after_grokking", .number(Double($0))) }
    members.append(.init("stop", .object(afterGrokking.map { [$0] } ?? [])))
    members.append(
      .init(
        "task",
        .object([
          .init("modulus", .number(Double(task.modulus))),
          .init("operation", .text(task.operation.rawValue)),
          .init("train_fraction", .number(task.trainFraction)),
        ])))
    members.append(
      .init(
        "training",
        .object([
          .init("beta1", .number(training.beta1)),
          .init("beta2", .number(training.beta2)),
          .init("epochs", .number(Double(training.epochs))),
          .init("epsilon", .number(training.epsilon)),
          .init("learning_rate", .number(training.learningRate)),
          .init("warmup_epochs", .number(Double(training.warmupEpochs))),
          .init("weight_decay", .number(training.weightDecay)),
        ])))
    return .object(members)
  }
}

extension Experiment {
  /// The values in which this experiment is unlike `other`, seeds aside, as settings name them:
  /// `epochs=40000 weight_decay=1`; empty when there are none.
  package func settingWords(unlike other: Experiment) -> String {
    ExperimentKey.all.filter { !$0.isSeed && $0.value(self) != $0.value(other) }
      .compactMap { key in key.value(self).map { "\(key.shortName)=\($0.label)" } }
      .joined(separator: " ")
  }
}
