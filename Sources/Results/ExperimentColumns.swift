// An experiment as columns of the table `point`: one column per value, so that SQL can ask for each of them, SQLite can
// check each of them, and a million points stay small and quick to read.
//
// Names are those of the sweep file's keys, but `max_epochs` for training.epochs: `epochs` is what a run trained.

import GRDB
import Grokking

/// One value of an experiment.
private struct ExperimentColumn: Sendable {
  let name: String
  /// What follows the name where the column is declared.
  let declaration: String
  let value: @Sendable (Experiment) -> (any DatabaseValueConvertible)?
  /// Reads the value at a place of a row; throws for a word that is not known.
  let set: @Sendable (Row, Int, inout Experiment) throws(UnknownWord) -> Void
}

private struct UnknownWord: Error {
  let word: String
}

enum ExperimentColumns {
  /// As schema 1 declared them, in the order of the views. The seeds stand last.
  private static let declared: [ExperimentColumn] = [
    word("operation", "TEXT NOT NULL CHECK (operation <> '')", \.task.operation),
    value("modulus", "INTEGER NOT NULL CHECK (modulus >= 3)", \.task.modulus),
    value(
      "train_fraction", "REAL NOT NULL CHECK (train_fraction > 0 AND train_fraction < 1)", \.task.trainFraction),
    value("d_model", "INTEGER NOT NULL CHECK (d_model > 0)", \.model.dModel),
    value("heads", "INTEGER NOT NULL CHECK (heads > 0 AND d_model % heads = 0)", \.model.heads),
    value("d_mlp", "INTEGER NOT NULL CHECK (d_mlp > 0)", \.model.dMLP),
    word("activation", "TEXT NOT NULL CHECK (activation <> '')", \.model.activation),
    value("biases", "INTEGER NOT NULL CHECK (biases IN (0, 1))", \.model.biases),
    value("d_vocab_out", "INTEGER NOT NULL CHECK (d_vocab_out IN (modulus, modulus + 1))", \.model.dVocabOut),
    value("max_epochs", "INTEGER NOT NULL CHECK (max_epochs > 0)", \.training.epochs),
    value("learning_rate", "REAL NOT NULL CHECK (learning_rate > 0)", \.training.learningRate),
    value("weight_decay", "REAL NOT NULL CHECK (weight_decay >= 0)", \.training.weightDecay),
    value("beta1", "REAL NOT NULL CHECK (beta1 >= 0 AND beta1 < 1)", \.training.beta1),
    value("beta2", "REAL NOT NULL CHECK (beta2 >= 0 AND beta2 < 1)", \.training.beta2),
    value("epsilon", "REAL NOT NULL CHECK (epsilon > 0)", \.training.epsilon),
    value("warmup_epochs", "INTEGER NOT NULL CHECK (warmup_epochs >= 0)", \.training.warmupEpochs),
    value("evaluate_every", "INTEGER NOT NULL CHECK (evaluate_every > 0)", \.measure.evaluateEvery),
    value("after_grokking", "INTEGER CHECK (after_grokking >= 0)", \.stop.afterGrokking),
    seed("model_seed", "INTEGER NOT NULL CHECK (model_seed >= 0)", \.modelSeed),
    seed("data_seed", "INTEGER NOT NULL CHECK (data_seed >= 0)", \.dataSeed),
  ]

  /// Values that are younger than the first release, as schema 4 declared them. Their defaults are what every point of an
  /// older store has, so that whoever groups by them finds `adamw`, not NULL; a batch size of NULL is all train pairs.
  private static let younger: [ExperimentColumn] = [
    value(
      "label_noise", "REAL NOT NULL DEFAULT 0 CHECK (label_noise >= 0 AND label_noise <= 1)", \.task.labelNoise),
    value(
      "initialization_scale", "REAL NOT NULL DEFAULT 1 CHECK (initialization_scale > 0)",
      \.model.initializationScale),
    value("batch_size", "INTEGER CHECK (batch_size > 0)", \.training.batchSize),
    word("optimizer", "TEXT NOT NULL DEFAULT 'adamw' CHECK (optimizer <> '')", \.training.optimizer),
    word("schedule", "TEXT NOT NULL DEFAULT 'constant' CHECK (schedule <> '')", \.training.schedule),
    value("momentum", "REAL NOT NULL DEFAULT 0 CHECK (momentum >= 0 AND momentum < 1)", \.training.momentum),
    value("l1", "REAL NOT NULL DEFAULT 0 CHECK (l1 >= 0)", \.training.l1),
    value(
      "grokfast_alpha", "REAL NOT NULL DEFAULT 0.98 CHECK (grokfast_alpha >= 0 AND grokfast_alpha < 1)",
      \.training.grokfastAlpha),
    value("grokfast_lambda", "REAL NOT NULL DEFAULT 0 CHECK (grokfast_lambda >= 0)", \.training.grokfastLambda),
  ]

  /// Of this schema, in the order of the views.
  private static let columns = declared.dropLast(2) + younger + declared.suffix(2)

  static var names: [String] { columns.map(\.name) }

  // What migrations and released views are made of.
  static var declarationsOfSchema1: String {
    declared.map { "\($0.name) \($0.declaration)" }.joined(separator: ",\n  ")
  }
  static var listOfSchema1: String { list(of: "point", declared.map(\.name)) }
  static var listWithoutSeedsOfSchema1: String { list(of: "point", declared.dropLast(2).map(\.name)) }
  static var addedInSchema4: [(name: String, declaration: String)] { younger.map { ($0.name, $0.declaration) } }
  static var listOfSchema4: String { list(of: "point", columns.map(\.name)) }
  static var listWithoutSeedsOfSchema4: String { list(of: "point", columns.dropLast(2).map(\.name)) }

  /// `point.operation, point.modulus, …`
  static func list(of table: String, _ names: [String] = names) -> String {
    names.map { "\(table).\($0)" }.joined(separator: ", ")
  }

  /// In the order of `names`. Seeds fit: a point's are below 2⁵³ (`Experiment.canonical`).
  static func values(of experiment: Experiment) -> [(any DatabaseValueConvertible)?] {
    columns.map { $0.value(experiment) }
  }

  /// Reads the columns `names`, in that order, from `first` on.
  static func experiment(_ row: Row, from first: Int, path: String) throws -> Experiment {
    var experiment = Experiment()
    do throws(UnknownWord) {
      for (place, column) in columns.enumerated() { try column.set(row, first + place, &experiment) }
    } catch {
      throw StoreError(
        .refused, path,
        "the store holds an experiment with \"\(error.word)\", which this groksweep does not know")
    }
    return experiment
  }

  private typealias Path<Value> = WritableKeyPath<Experiment, Value> & Sendable

  private static func value<Value: DatabaseValueConvertible & StatementColumnConvertible & Sendable>(
    _ name: String, _ declaration: String, _ path: Path<Value>
  ) -> ExperimentColumn {
    ExperimentColumn(
      name: name, declaration: declaration, value: { $0[keyPath: path] },
      set: { row, place, experiment throws(UnknownWord) in
        experiment[keyPath: path] = row[place]
      })
  }

  private static func value(_ name: String, _ declaration: String, _ path: Path<Int?>) -> ExperimentColumn {
    ExperimentColumn(
      name: name, declaration: declaration, value: { $0[keyPath: path] },
      set: { row, place, experiment throws(UnknownWord) in
        experiment[keyPath: path] = row[place]
      })
  }

  private static func seed(_ name: String, _ declaration: String, _ path: Path<UInt64>) -> ExperimentColumn {
    ExperimentColumn(
      name: name, declaration: declaration, value: { Int64($0[keyPath: path]) },
      set: { row, place, experiment throws(UnknownWord) in
        experiment[keyPath: path] = row[place]
      })
  }

  private static func word<Word: RawRepresentable<String> & Sendable>(
    _ name: String, _ declaration: String, _ path: Path<Word>
  ) -> ExperimentColumn {
    ExperimentColumn(
      name: name, declaration: declaration, value: { $0[keyPath: path].rawValue },
      set: { row, place, experiment throws(UnknownWord) in
        let name: String = row[place]
        guard let word = Word(rawValue: name) else { throw UnknownWord(word: name) }
        experiment[keyPath: path] = word
      })
  }
}
