// An evaluation as columns of the table `evaluation`, which are also those of the view `curves`.

import GRDB
import Grokking

enum EvaluationColumns {
  static let names = [
    "epoch", "train_loss", "test_loss", "train_accuracy", "test_accuracy", "restricted_loss_train",
    "restricted_loss_test", "restricted_loss", "excluded_loss", "gini_w_e", "gini_w_l", "sum_squared_weights",
  ]

  static var list: String { names.joined(separator: ", ") }

  /// In the order of `names`.
  static func values(of evaluation: Evaluation) -> [(any DatabaseValueConvertible)?] {
    [
      evaluation.epoch, evaluation.trainLoss, evaluation.testLoss, evaluation.trainAccuracy, evaluation.testAccuracy,
      evaluation.restrictedLossTrain, evaluation.restrictedLossTest, evaluation.restrictedLoss,
      evaluation.excludedLoss, evaluation.giniW_E, evaluation.giniW_L, evaluation.sumSquaredWeights,
    ]
  }

  /// Reads the columns `names` from `first` on.
  static func evaluation(_ row: Row, from first: Int) -> Evaluation {
    Evaluation(
      epoch: row[first], trainLoss: row[first + 1], testLoss: row[first + 2], trainAccuracy: row[first + 3],
      testAccuracy: row[first + 4], restrictedLossTrain: row[first + 5], restrictedLossTest: row[first + 6],
      restrictedLoss: row[first + 7], excludedLoss: row[first + 8], giniW_E: row[first + 9], giniW_L: row[first + 10],
      sumSquaredWeights: row[first + 11])
  }
}
