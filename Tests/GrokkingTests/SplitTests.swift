import Grokking
import Testing

@Suite struct SplitTests {
  @Test func `the share of pairs is trained on, and no more`() {
    for (p, fraction, count) in [(113, 0.3, 3830), (7, 0.5, 24), (3, 0.12, 1), (10, 0.99, 99)] {
      let experiment = Experiment(task: LearningTask(modulus: p, trainFraction: fraction))
      let split = Split(experiment: experiment)
      #expect(split.trainPairs.count == count)
      #expect((split.trainPairs + split.testPairs).sorted() == Array(0..<p * p))
    }
  }

  @Test func `the data seed alone draws the split and the model seed alone the weights`() {
    let task = LearningTask(modulus: 11)
    let model = ModelShape(dModel: 8, heads: 2, dMLP: 16, dVocabOut: 12)
    func start(_ modelSeed: UInt64, _ dataSeed: UInt64) -> Start {
      Start(Experiment(task: task, model: model, modelSeed: modelSeed, dataSeed: dataSeed))
    }
    #expect(start(0, 0).split == start(1, 0).split)
    #expect(start(0, 0).split != start(0, 1).split)
    #expect(start(0, 0).weights.storage == start(0, 1).weights.storage)
    #expect(start(0, 0).weights.storage != start(1, 0).weights.storage)
  }

  @Test func `every pair is as likely as any other to be trained on`() {
    var counts = [Int](repeating: 0, count: 25)
    for seed in 0..<4000 {
      let experiment = Experiment(task: LearningTask(modulus: 5, trainFraction: 0.4), dataSeed: UInt64(seed))
      for pair in Split(experiment: experiment).trainPairs { counts[pair] += 1 }
    }
    // 1,600 each, with a standard deviation of 31.
    #expect(counts.allSatisfy { abs($0 - 1600) < 155 })
  }

  @Test func `labels follow the operation`() {
    func labels(_ operation: Grokking.Operation, seed: UInt64 = 0) -> [Int32] {
      LearningTask(operation: operation, modulus: 7).labels(dataSeed: seed)
    }
    let pair = 5 * 7 + 4
    #expect(labels(.add)[pair] == 2)
    #expect(labels(.subtract)[pair] == 1)
    #expect(labels(.subtract)[4 * 7 + 5] == 6)
    #expect(labels(.multiply)[pair] == 6)
    #expect(labels(.x2xyy2)[pair] == Int32((25 + 20 + 16) % 7))
    #expect(labels(.random) == labels(.random))
    #expect(labels(.random) != labels(.random, seed: 1))
    #expect(labels(.random).allSatisfy { (0..<7).contains($0) })
  }

  @Test func `start weights have the paper's standard deviations`() {
    let weights = Parameters<Float>.start(of: Experiment())
    for tensor in weights.layout.tensors {
      let values = weights[tensor.name].map(Double.init)
      let deviation = (values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot()
      switch tensor.name {
      case .b_in, .b_out: #expect(deviation == 0)
      case .W_U: #expect(abs(deviation - (1 / 114.0).squareRoot()) < 0.002)
      case .W_pos: #expect(abs(deviation - (1 / 128.0).squareRoot()) < 0.015)
      default: #expect(abs(deviation - (1 / 128.0).squareRoot()) < 0.002)
      }
    }
  }
}
