// An evaluation as columns of the table `evaluation`, which are also those of the view `curves`. What it has of every
// frequency is in tables of its own (ResultRows.swift).

import GRDB
import Grokking

enum EvaluationColumns {
  static let names =
    [
      "epoch", "train_loss", "test_loss", "train_accuracy", "test_accuracy", "restricted_loss_train",
      "restricted_loss_test", "restricted_loss", "excluded_loss", "gini_w_e", "gini_w_l", "sum_squared_weights",
      "logit_fve", "cosine_loss_test",
    ] + TensorName.allCases.map { "sum_squared_\($0.rawValue.lowercased())" }

  static var list: String { names.joined(separator: ", ") }

  /// In the order of `names`.
  static func values(of evaluation: Evaluation) -> [(any DatabaseValueConvertible)?] {
    let sums = evaluation.sumSquaredByTensor
    return [
      evaluation.epoch, evaluation.trainLoss, evaluation.testLoss, evaluation.trainAccuracy, evaluation.testAccuracy,
      evaluation.restrictedLossTrain, evaluation.restrictedLossTest, evaluation.restrictedLoss,
      evaluation.excludedLoss, evaluation.giniW_E, evaluation.giniW_L, evaluation.sumSquaredWeights,
      evaluation.logitVarianceExplained, evaluation.cosineLossTest,
    ] + TensorName.allCases.indices.map { $0 < sums.count ? sums[$0] : nil }
  }

  /// Reads the columns `names` from `first` on.
  static func evaluation(_ row: Row, from first: Int) -> Evaluation {
    let sums = TensorName.allCases.indices.map { row[first + 14 + $0] as Double? }
    return Evaluation(
      epoch: row[first], trainLoss: row[first + 1], testLoss: row[first + 2], trainAccuracy: row[first + 3],
      testAccuracy: row[first + 4], restrictedLossTrain: row[first + 5], restrictedLossTest: row[first + 6],
      restrictedLoss: row[first + 7], excludedLoss: row[first + 8], giniW_E: row[first + 9], giniW_L: row[first + 10],
      sumSquaredWeights: row[first + 11], sumSquaredByTensor: sums.contains { $0 != nil } ? sums : [],
      logitVarianceExplained: row[first + 12], cosineLossTest: row[first + 13])
  }
}
