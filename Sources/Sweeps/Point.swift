// A point of a sweep: an experiment and the hash that names it for ever, everywhere. The same work asked for twice, by
// two sweeps or two databases, has the same id and is computed once.

import Crypto
import Grokking

/// One experiment of a sweep.
package struct Point: Hashable, Sendable {
  package let id: PointID
  /// Normalized: two points with one id have equal experiments.
  package let experiment: Experiment
  /// The swept values without seeds, in the order of the axes: `weight_decay=1 train_fraction=0.3`; "" if none is
  /// swept. Points of one sweep that differ in their seeds only have the same setting.
  package let setting: String

  /// Hashes the experiment: a few microseconds.
  package init(experiment: Experiment, setting: String) {
    id = PointID(of: experiment)
    self.experiment = experiment.normalized
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
  /// Every value of the normalized experiment under its sweep-file key. A value that is absent is left out; so is, for
  /// ever, every key that is younger than semantics version 1 and at its default, so that old points keep their ids.
  /// Seeds must be below 2^53, as sweep files demand.
  package var canonical: CanonicalJSON {
    precondition(max(modelSeed, dataSeed) < 1 << 53, "seeds \(modelSeed), \(dataSeed) do not fit JSON")
    let effective = normalized
    // Members stand in sorted order, so that writing does not have to sort them.
    var members: [CanonicalJSON.Member] = []
    members.reserveCapacity(7)
    members.append(.init("data_seed", .number(Double(dataSeed))))
    members.append(.init("measure", .object([.init("evaluate_every", .number(Double(measure.evaluateEvery)))])))
    members.append(.init("model", effective.model.canonical))
    members.append(.init("model_seed", .number(Double(modelSeed))))
    let afterGrokking = stop.afterGrokking.map { CanonicalJSON.Member("after_grokking", .number(Double($0))) }
    members.append(.init("stop", .object(afterGrokking.map { [$0] } ?? [])))
    members.append(.init("task", effective.task.canonical))
    members.append(.init("training", effective.training.canonical))
    return .object(members)
  }
}

extension LearningTask {
  fileprivate var canonical: CanonicalJSON {
    var members: [CanonicalJSON.Member] = []
    if labelNoise != 0 { members.append(.init("label_noise", .number(labelNoise))) }
    members.append(.init("modulus", .number(Double(modulus))))
    members.append(.init("operation", .text(operation.rawValue)))
    members.append(.init("train_fraction", .number(trainFraction)))
    return .object(members)
  }
}

extension ModelShape {
  fileprivate var canonical: CanonicalJSON {
    var members: [CanonicalJSON.Member] = [
      .init("activation", .text(activation.rawValue)),
      .init("biases", .flag(biases)),
      .init("d_mlp", .number(Double(dMLP))),
      .init("d_model", .number(Double(dModel))),
      .init("d_vocab_out", .number(Double(dVocabOut))),
      .init("heads", .number(Double(heads))),
    ]
    if initializationScale != 1 { members.append(.init("initialization_scale", .number(initializationScale))) }
    return .object(members)
  }
}

extension TrainingSettings {
  /// Of a normalized experiment.
  fileprivate var canonical: CanonicalJSON {
    let earlier = TrainingSettings()
    var members: [CanonicalJSON.Member] = []
    members.reserveCapacity(14)
    func add(_ key: String, _ value: CanonicalJSON, if isSaid: Bool = true) {
      if isSaid { members.append(.init(key, value)) }
    }
    add("batch_size", .number(Double(batchSize ?? 0)), if: batchSize != nil)
    add("beta1", .number(beta1))
    add("beta2", .number(beta2))
    add("epochs", .number(Double(epochs)))
    add("epsilon", .number(epsilon))
    add("grokfast_alpha", .number(grokfastAlpha), if: grokfastAlpha != earlier.grokfastAlpha)
    add("grokfast_lambda", .number(grokfastLambda), if: grokfastLambda != earlier.grokfastLambda)
    add("l1", .number(l1), if: l1 != earlier.l1)
    add("learning_rate", .number(learningRate))
    add("momentum", .number(momentum), if: momentum != earlier.momentum)
    add("optimizer", .text(optimizer.rawValue), if: optimizer != earlier.optimizer)
    add("schedule", .text(schedule.rawValue), if: schedule != earlier.schedule)
    add("warmup_epochs", .number(Double(warmupEpochs)))
    add("weight_decay", .number(weightDecay))
    return .object(members)
  }
}

extension Experiment {
  /// What runs have in common that differ only in when they end: the state in which one of them ended at its last epoch is
  /// one through which each longer one comes. Nil where the end decides about the first epoch already.
  package var lineage: PointID? {
    guard !training.dependsOnEnd else { return nil }
    var endless = self
    endless.training.epochs = 0
    endless.stop.afterGrokking = nil
    return PointID(of: endless)
  }

  /// The values in which this experiment is unlike `other`, seeds aside, as settings name them:
  /// `epochs=40000 weight_decay=1`; empty when there are none.
  ///
  /// - Parameter axes: key paths that are left out too.
  package func settingWords(unlike other: Experiment, besides axes: [String] = []) -> String {
    // The number of outputs follows the modulus.
    let axes = axes.contains(ExperimentKey.modulus) ? axes + [ExperimentKey.vocabulary] : axes
    return ExperimentKey.all
      .filter { !$0.isSeed && !axes.contains($0.path) && $0.value(self) != $0.value(other) }
      .compactMap { key in key.value(self).map { "\(key.shortName)=\($0.label)" } }
      .joined(separator: " ")
  }
}
