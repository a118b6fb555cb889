// The keys that a sweep file may fix or sweep: the one table of their names, types and places in an experiment. A key
// that is added to `Experiment` is added here, and at its default it must be left out of the canonical text, so that
// ids of old points stay.

import Grokking

/// A key such as `training.weight_decay`.
struct ExperimentKey: Sendable {
  /// With its group, as axes name it; seeds have no group.
  let path: String
  let kind: SettingValue.Kind
  /// The value in an experiment; `seed`, which only sets others, has none.
  let value: @Sendable (Experiment) -> SettingValue?
  /// `d_vocab_out` reads the modulus, so it is set last.
  let set: @Sendable (SettingValue, inout Experiment) -> Void

  /// Without its group: `weight_decay`. Unique among all keys.
  var shortName: String { String(path[(path.firstIndex(of: ".").map { path.index(after: $0) } ?? path.startIndex)...]) }
  /// `training`; nil for seeds.
  var group: String? { path.firstIndex(of: ".").map { String(path[..<$0]) } }
  var isSeed: Bool { kind == .seed }

  static let groups = ["task", "model", "training", "measure", "stop"]

  static let modulus = "task.modulus"
  static let vocabulary = "model.d_vocab_out"

  /// In the order of the reference, seeds last.
  static let all: [ExperimentKey] = [
    word("task.operation", \.task.operation),
    whole(modulus, \.task.modulus),
    decimal("task.train_fraction", \.task.trainFraction),
    decimal("task.label_noise", \.task.labelNoise),
    whole("model.d_model", \.model.dModel),
    whole("model.heads", \.model.heads),
    whole("model.d_mlp", \.model.dMLP),
    word("model.activation", \.model.activation),
    ExperimentKey(
      path: "model.biases", kind: .flag, value: { .flag($0.model.biases) },
      set: { if case .flag(let flag) = $0 { $1.model.biases = flag } }),
    ExperimentKey(
      path: vocabulary, kind: .vocabulary, value: { .number(Double($0.model.dVocabOut)) },
      set: setVocabulary),
    decimal("model.initialization_scale", \.model.initializationScale),
    whole("training.epochs", \.training.epochs),
    wholeOrNull("training.batch_size", null: "all train pairs", \.training.batchSize),
    word("training.optimizer", \.training.optimizer),
    decimal("training.learning_rate", \.training.learningRate),
    word("training.schedule", \.training.schedule),
    whole("training.warmup_epochs", \.training.warmupEpochs),
    decimal("training.weight_decay", \.training.weightDecay),
    decimal("training.beta1", \.training.beta1),
    decimal("training.beta2", \.training.beta2),
    decimal("training.epsilon", \.training.epsilon),
    decimal("training.momentum", \.training.momentum),
    decimal("training.l1", \.training.l1),
    decimal("training.grokfast_alpha", \.training.grokfastAlpha),
    decimal("training.grokfast_lambda", \.training.grokfastLambda),
    whole("measure.evaluate_every", \.measure.evaluateEvery),
    wholeOrNull("stop.after_grokking", null: "never", \.stop.afterGrokking),
    ExperimentKey(
      path: "seed", kind: .seed, value: { _ in nil },
      set: { value, experiment in
        if case .number(let number) = value {
          experiment.modelSeed = UInt64(number)
          experiment.dataSeed = UInt64(number)
        }
      }),
    seed("model_seed", \.modelSeed),
    seed("data_seed", \.dataSeed),
  ]

  /// Needs the modulus that the experiment is to have.
  @Sendable static func setVocabulary(_ value: SettingValue, _ experiment: inout Experiment) {
    if case .modulusPlus(let more) = value { experiment.model.dVocabOut = experiment.task.modulus + more }
    if case .number(let number) = value { experiment.model.dVocabOut = Int(number) }
  }

  /// Keys whose values may have no effect beside others' (`Experiment.normalized`), so that different ones may make equal
  /// points.
  static let pathsOfIdleValues = [
    "training.batch_size", "training.beta1", "training.beta2", "training.epsilon", "training.momentum",
    "training.grokfast_alpha",
  ]

  static func key(_ path: String) -> ExperimentKey? { all.first { $0.path == path } }

  /// Keys whose values decide together whether an experiment is possible (`Experiment.problems`).
  static func relatives(of path: String) -> [String] {
    switch path {
    case "model.heads": ["model.d_model"]
    case vocabulary, "task.train_fraction": [modulus]
    default: []
    }
  }

  private typealias Path<Value> = WritableKeyPath<Experiment, Value> & Sendable

  private static func whole(_ path: String, _ place: Path<Int>) -> ExperimentKey {
    ExperimentKey(
      path: path, kind: .whole, value: { .number(Double($0[keyPath: place])) },
      set: { if case .number(let number) = $0 { $1[keyPath: place] = Int(number) } })
  }

  private static func wholeOrNull(_ path: String, null meaning: String, _ place: Path<Int?>) -> ExperimentKey {
    ExperimentKey(
      path: path, kind: .wholeOrNull(meaning),
      value: { $0[keyPath: place].map { .number(Double($0)) } ?? .absent },
      set: { value, experiment in
        if case .number(let number) = value {
          experiment[keyPath: place] = Int(number)
        } else {
          experiment[keyPath: place] = nil
        }
      })
  }

  private static func decimal(_ path: String, _ place: Path<Double>) -> ExperimentKey {
    ExperimentKey(
      path: path, kind: .decimal, value: { .number($0[keyPath: place]) },
      set: { if case .number(let number) = $0 { $1[keyPath: place] = number } })
  }

  private static func seed(_ path: String, _ place: Path<UInt64>) -> ExperimentKey {
    ExperimentKey(
      path: path, kind: .seed, value: { .number(Double($0[keyPath: place])) },
      set: { if case .number(let number) = $0 { $1[keyPath: place] = UInt64(number) } })
  }

  private static func word<Word: RawRepresentable<String> & CaseIterable & Sendable>(
    _ path: String, _ place: Path<Word>
  ) -> ExperimentKey {
    ExperimentKey(
      path: path, kind: .word(Word.allCases.map(\.rawValue)), value: { .word($0[keyPath: place].rawValue) },
      set: { if case .word(let name) = $0, let word = Word(rawValue: name) { $1[keyPath: place] = word } })
  }
}
