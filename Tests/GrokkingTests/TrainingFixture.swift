// What the fixtures say about training: configuration, start, gradients and curve, as our own types.

import Foundation
import Grokking
import Testing

/// A fixture with a start, gradients and a curve.
struct TrainingFixture {
  static let names = ["tiny", "small", "quadratic"]

  struct Point {
    let epoch: Int
    let train: LossAndAccuracy
    let test: LossAndAccuracy
  }

  let experiment: Experiment
  let start: Start
  /// Of the mean train loss at the start weights.
  let gradients: Parameters<Double>
  /// Losses and accuracies before the step of each epoch.
  let curve: [Point]
  let steps: Int
  /// By the tensors' file names, after all steps.
  let normsAfter: [String: Double]

  init(_ name: String) throws {
    let expected = try Fixture.expected(name)
    let config = try #require(expected["config"] as? [String: Any])
    func integer(_ key: String) throws -> Int { try #require(config[key] as? Int) }
    func number(_ key: String) throws -> Double { try #require(config[key] as? Double) }
    steps = try #require(expected["steps"] as? Int)
    let betas = try #require(config["betas"] as? [Double])
    experiment = Experiment(
      task: LearningTask(
        operation: try Fixture.operation(name), modulus: try integer("p"),
        trainFraction: try number("train_fraction")),
      model: ModelShape(
        dModel: try integer("d_model"), heads: try integer("n_heads"), dMLP: try integer("d_mlp"),
        dVocabOut: try integer("d_vocab_out")),
      training: TrainingSettings(
        epochs: steps, learningRate: try number("lr"), weightDecay: try number("weight_decay"), beta1: betas[0],
        beta2: betas[1], epsilon: try number("eps"), warmupEpochs: try integer("warmup")))
    let file = try Fixture.model("\(name)/start.safetensors")
    start = Start(
      weights: file.weights,
      split: Split(trainMask: try #require(file.trainMask), modulus: experiment.task.modulus))
    let layout = ParameterLayout(experiment)
    let tensors = try SafeTensors(parsing: Fixture.bytes("\(name)/gradients.safetensors"))
    var gradients = Parameters<Double>(layout)
    for tensor in layout.tensors {
      let bytes = try #require(tensors[tensor.name.fileName]).bytes
      gradients[tensor.name] = bytes.withUnsafeBytes { raw in
        (0..<tensor.count).map { raw.loadUnaligned(fromByteOffset: 8 * $0, as: Double.self) }
      }
    }
    self.gradients = gradients
    normsAfter = try #require(expected["parameter_norms_after"] as? [String: Double])
    curve = try #require(expected["curve"] as? [[String: Double]]).map { point in
      func value(_ key: String) throws -> Double { try #require(point[key]) }
      return Point(
        epoch: Int(try value("epoch")),
        train: LossAndAccuracy(loss: try value("train_loss"), accuracy: try value("train_accuracy")),
        test: LossAndAccuracy(loss: try value("test_loss"), accuracy: try value("test_accuracy")))
    }
  }
}

/// ‖x − y‖ / ‖y‖
func relativeDistance(_ x: [Double], _ y: [Double]) -> Double {
  var (difference, size) = (0.0, 0.0)
  for (left, right) in zip(x, y) {
    difference += (left - right) * (left - right)
    size += right * right
  }
  return (difference / max(size, Double.leastNormalMagnitude)).squareRoot()
}

/// |x − y| / |y|
func relativeDistance(_ x: Double, _ y: Double) -> Double { abs(x - y) / abs(y) }
