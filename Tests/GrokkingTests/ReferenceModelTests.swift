// The naive float64 twin against an independent implementation.

import Grokking
import Testing

@Suite struct ReferenceModelTests {
  @Test(arguments: TrainingFixture.names) func `the twin's gradients are the fixture's`(_ name: String) throws {
    let fixture = try TrainingFixture(name)
    let model = ReferenceModel(fixture.start.weights, activation: .relu)
    let (result, gradients) = model.gradients(
      pairs: fixture.start.split.trainPairs, labels: fixture.experiment.labels)
    #expect(relativeDistance(result.loss, fixture.curve[0].train.loss) < 1e-13)
    #expect(abs(result.accuracy - fixture.curve[0].train.accuracy) < 1e-12)
    for tensor in gradients.layout.tensors {
      let distance = relativeDistance(gradients[tensor.name], fixture.gradients[tensor.name])
      #expect(distance < 1e-12, "\(tensor.name): \(distance)")
    }
  }

  @Test(arguments: TrainingFixture.names) func `the twin's curve and final norms are the fixture's`(
    _ name: String
  ) throws {
    let fixture = try TrainingFixture(name)
    var training = ReferenceTraining(fixture.experiment, start: fixture.start)
    let points = Dictionary(uniqueKeysWithValues: fixture.curve.map { ($0.epoch, $0) })
    for epoch in 0..<fixture.steps {
      let test = points[epoch] == nil ? nil : training.evaluateTest()
      let train = training.step()
      guard let point = points[epoch], let test else { continue }
      #expect(relativeDistance(train.loss, point.train.loss) < 1e-10, "train loss of epoch \(epoch)")
      #expect(relativeDistance(test.loss, point.test.loss) < 1e-10, "test loss of epoch \(epoch)")
      #expect(abs(train.accuracy - point.train.accuracy) < 1e-12, "train accuracy of epoch \(epoch)")
      #expect(abs(test.accuracy - point.test.accuracy) < 1e-12, "test accuracy of epoch \(epoch)")
    }
    for tensor in training.model.weights.layout.tensors {
      let norm = training.model.weights[tensor.name].reduce(0) { $0 + $1 * $1 }.squareRoot()
      let expected = try #require(fixture.normsAfter[tensor.name.fileName])
      #expect(relativeDistance(norm, expected) < 1e-10, "\(tensor.name): \(norm) for \(expected)")
    }
  }

  @Test func `the twin's gradients are the loss's slopes, with GELU, without biases and with p classes`() {
    let experiment = Experiment(
      task: LearningTask(operation: .multiply, modulus: 5, trainFraction: 0.6),
      model: ModelShape(dModel: 6, heads: 2, dMLP: 7, activation: .gelu, biases: false, dVocabOut: 5))
    let start = Start(experiment)
    let (pairs, labels) = (start.split.trainPairs, experiment.labels)
    let model = ReferenceModel(start.weights, activation: .gelu)
    let gradients = model.gradients(pairs: pairs, labels: labels).1
    for tensor in gradients.layout.tensors {
      for index in [tensor.offset, tensor.offset + tensor.count / 2, tensor.offset + tensor.count - 1] {
        func loss(_ step: Double) -> Double {
          var moved = model
          moved.weights.storage[index] += step
          return moved.evaluate(pairs: pairs, labels: labels).loss
        }
        let slope = (loss(1e-5) - loss(-1e-5)) / 2e-5
        #expect(abs(slope - gradients.storage[index]) < 1e-8, "\(tensor.name)")
      }
    }
  }
}
