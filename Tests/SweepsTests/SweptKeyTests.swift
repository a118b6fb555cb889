// In what settings differ, however they came to be.

import Grokking
import Sweeps
import Testing

@Suite struct SweptKeyTests {
  private func settings(_ change: (Int, inout Experiment) -> Void, _ count: Int) -> [Experiment] {
    (0..<count).map { index in
      var experiment = Experiment()
      change(index, &experiment)
      return experiment
    }
  }

  @Test func `keys of a grid come in the order of the sweep's axes, and seeds are none`() {
    let grid = settings(
      { index, experiment in
        experiment.training.weightDecay = [0.5, 1][index % 2]
        experiment.task.operation = [.add, .subtract][index / 2 % 2]
        experiment.modelSeed = UInt64(index)
      }, 4)
    let keys = SweptKey.all(of: grid, first: ["training.weight_decay", "seed", "task.operation"])
    #expect(keys.map(\.name) == ["weight_decay", "operation"])
    #expect(keys[0].values == [.number(0.5), .number(1), .number(0.5), .number(1)])
    #expect(keys[1].values.map(\.label) == ["add", "add", "subtract", "subtract"])
    #expect(keys.allSatisfy { $0.alongside.isEmpty })
  }

  @Test func `keys of a zip are one, crossed with another axis or not`() {
    for heads in [1, 2] {
      let zip = settings(
        { index, experiment in
          (experiment.model.dModel, experiment.model.dMLP) = [(32, 128), (64, 256), (128, 512)][index % 3]
          experiment.model.heads = 1 + index / 3
        }, 3 * heads)
      let keys = SweptKey.all(of: zip, first: ["model.d_model,model.d_mlp", "model.heads"])
      #expect(keys.map(\.name) == (heads == 1 ? ["d_model"] : ["d_model", "heads"]))
      #expect(keys[0].alongside == ["model.d_mlp"])
    }
  }

  @Test func `sampled keys have a value for every setting and are two nonetheless`() {
    let samples = settings(
      { index, experiment in
        experiment.training.weightDecay = 1 + Double(index)
        experiment.task.trainFraction = 0.3 + Double(index * 7 % 20) / 100
      }, 20)
    let keys = SweptKey.all(of: samples, first: [])
    #expect(keys.map(\.path) == ["task.train_fraction", "training.weight_decay"])
  }

  @Test func `the vocabulary of a swept modulus goes alongside it, and equal settings differ in nothing`() {
    let moduli = settings(
      { index, experiment in
        experiment.task.modulus = [53, 59, 97][index]
        experiment.model.dVocabOut = experiment.task.modulus + 1
      }, 3)
    let keys = SweptKey.all(of: moduli, first: ["task.modulus"])
    #expect(keys.map(\.path) == ["task.modulus"])
    #expect(keys[0].alongside == ["model.d_vocab_out"])
    #expect(SweptKey.all(of: [Experiment(), Experiment()], first: []).isEmpty)
    #expect(SweptKey.all(of: [], first: []).isEmpty)
  }
}
