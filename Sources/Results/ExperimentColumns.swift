// An experiment as columns of the table `point`: one column per value, so that SQL can ask for each of them, SQLite can
// check each of them, and a million points stay small and quick to read.
//
// Names are those of the sweep file's keys, but `max_epochs` for training.epochs: `epochs` is what a run trained.

import GRDB
import Grokking

enum ExperimentColumns {
  /// Column and the rest of its declaration, in the order of the views. The seeds stand last.
  private static let declared: [(name: String, declaration: String)] = [
    ("operation", "TEXT NOT NULL CHECK (operation <> '')"),
    ("modulus", "INTEGER NOT NULL CHECK (modulus >= 3)"),
    ("train_fraction", "REAL NOT NULL CHECK (train_fraction > 0 AND train_fraction < 1)"),
    ("d_model", "INTEGER NOT NULL CHECK (d_model > 0)"),
    ("heads", "INTEGER NOT NULL CHECK (heads > 0 AND d_model % heads = 0)"),
    ("d_mlp", "INTEGER NOT NULL CHECK (d_mlp > 0)"),
    ("activation", "TEXT NOT NULL CHECK (activation <> '')"),
    ("biases", "INTEGER NOT NULL CHECK (biases IN (0, 1))"),
    ("d_vocab_out", "INTEGER NOT NULL CHECK (d_vocab_out IN (modulus, modulus + 1))"),
    ("max_epochs", "INTEGER NOT NULL CHECK (max_epochs > 0)"),
    ("learning_rate", "REAL NOT NULL CHECK (learning_rate > 0)"),
    ("weight_decay", "REAL NOT NULL CHECK (weight_decay >= 0)"),
    ("beta1", "REAL NOT NULL CHECK (beta1 >= 0 AND beta1 < 1)"),
    ("beta2", "REAL NOT NULL CHECK (beta2 >= 0 AND beta2 < 1)"),
    ("epsilon", "REAL NOT NULL CHECK (epsilon > 0)"),
    ("warmup_epochs", "INTEGER NOT NULL CHECK (warmup_epochs >= 0)"),
    ("evaluate_every", "INTEGER NOT NULL CHECK (evaluate_every > 0)"),
    ("after_grokking", "INTEGER CHECK (after_grokking >= 0)"),
    ("model_seed", "INTEGER NOT NULL CHECK (model_seed >= 0)"),
    ("data_seed", "INTEGER NOT NULL CHECK (data_seed >= 0)"),
  ]

  /// Values that are younger than the first release, at the defaults that every point of an older store has: whoever
  /// groups by them finds `adamw`, not NULL. A batch size of NULL is all train pairs.
  private static let younger: [(name: String, declaration: String)] = [
    ("label_noise", "REAL NOT NULL DEFAULT 0 CHECK (label_noise >= 0 AND label_noise <= 1)"),
    ("initialization_scale", "REAL NOT NULL DEFAULT 1 CHECK (initialization_scale > 0)"),
    ("batch_size", "INTEGER CHECK (batch_size > 0)"),
    ("optimizer", "TEXT NOT NULL DEFAULT 'adamw' CHECK (optimizer <> '')"),
    ("schedule", "TEXT NOT NULL DEFAULT 'constant' CHECK (schedule <> '')"),
    ("momentum", "REAL NOT NULL DEFAULT 0 CHECK (momentum >= 0 AND momentum < 1)"),
    ("l1", "REAL NOT NULL DEFAULT 0 CHECK (l1 >= 0)"),
    ("grokfast_alpha", "REAL NOT NULL DEFAULT 0.98 CHECK (grokfast_alpha >= 0 AND grokfast_alpha < 1)"),
    ("grokfast_lambda", "REAL NOT NULL DEFAULT 0 CHECK (grokfast_lambda >= 0)"),
  ]

  static var names: [String] { declared.map(\.name) }

  /// `point.operation, point.modulus, …` as the views of schema 1 have them.
  static var listOfSchema1: String { list(of: "point") }
  static var listWithoutSeedsOfSchema1: String { list(of: "point", declared.dropLast(2).map(\.name)) }
  static var declarationsOfSchema1: String {
    declared.map { "\($0.name) \($0.declaration)" }.joined(separator: ",\n  ")
  }

  static var addedInSchema4: [(name: String, declaration: String)] { younger }
  static var listOfSchema4: String {
    listWithoutSeedsOfSchema4 + ", " + list(of: "point", declared.suffix(2).map(\.name))
  }
  static var listWithoutSeedsOfSchema4: String {
    list(of: "point", declared.dropLast(2).map(\.name) + younger.map(\.name))
  }

  /// `point.operation, point.modulus, …`
  static func list(of table: String, _ names: [String] = names) -> String {
    names.map { "\(table).\($0)" }.joined(separator: ", ")
  }

  /// In the order of `names`. Seeds fit: a point's are below 2⁵³ (`Experiment.canonical`).
  static func values(of experiment: Experiment) -> [(any DatabaseValueConvertible)?] {
    [
      experiment.task.operation.rawValue, experiment.task.modulus, experiment.task.trainFraction,
      experiment.model.dModel, experiment.model.heads, experiment.model.dMLP, experiment.model.activation.rawValue,
      experiment.model.biases, experiment.model.dVocabOut, experiment.training.epochs,
      experiment.training.learningRate, experiment.training.weightDecay, experiment.training.beta1,
      experiment.training.beta2, experiment.training.epsilon, experiment.training.warmupEpochs,
      experiment.measure.evaluateEvery, experiment.stop.afterGrokking, Int64(experiment.modelSeed),
      Int64(experiment.dataSeed),
    ]
  }

  /// Reads the columns `names`, in that order, from `first` on.
  static func experiment(_ row: Row, from first: Int, path: String) throws -> Experiment {
    func unknown(_ value: String) -> StoreError {
      StoreError(.refused, path, "the store holds an experiment with \"\(value)\", which this groksweep does not know")
    }
    let operationName: String = row[first]
    let activationName: String = row[first + 6]
    guard let operation = Operation(rawValue: operationName) else { throw unknown(operationName) }
    guard let activation = Activation(rawValue: activationName) else { throw unknown(activationName) }
    return Experiment(
      task: LearningTask(operation: operation, modulus: row[first + 1], trainFraction: row[first + 2]),
      model: ModelShape(
        dModel: row[first + 3], heads: row[first + 4], dMLP: row[first + 5], activation: activation,
        biases: row[first + 7], dVocabOut: row[first + 8]),
      training: TrainingSettings(
        epochs: row[first + 9], learningRate: row[first + 10], weightDecay: row[first + 11], beta1: row[first + 12],
        beta2: row[first + 13], epsilon: row[first + 14], warmupEpochs: row[first + 15]),
      measure: MeasureSettings(evaluateEvery: row[first + 16]),
      stop: StopSettings(afterGrokking: row[first + 17]),
      modelSeed: row[first + 18], dataSeed: row[first + 19])
  }
}
