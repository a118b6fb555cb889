// Identity: what a point's id is the hash of, and that nothing else moves it.

import Foundation
import Grokking
import Sweeps
import Testing

@Suite struct PointTests {
  /// If this fails, every stored result has lost its point: raise the semantics version or undo the change.
  @Test func `the paper's main line has this id for ever`() {
    #expect(
      PointID.canonicalText(of: Experiment())
        == #"{"experiment":{"data_seed":0,"measure":{"evaluate_every":100},"model":{"activation":"relu","biases":true,"#
        + #""d_mlp":512,"d_model":128,"d_vocab_out":114,"heads":4},"model_seed":0,"stop":{},"task":{"modulus":113,"#
        + #""operation":"add","train_fraction":0.3},"training":{"beta1":0.9,"beta2":0.98,"epochs":40000,"#
        + #""epsilon":1e-8,"learning_rate":0.001,"warmup_epochs":10,"weight_decay":1}},"semantics":2}"#)
    #expect(PointID(of: Experiment()).hex == "6a51289ffe9058292d85c159b120e44f03afc57071f0fd945c71b8e9f1bbb512")
  }

  @Test func `the canonical text holds every value of an experiment`() throws {
    let experiment = Experiment(
      task: LearningTask(operation: .x2xyy2, modulus: 59, trainFraction: 0.1 + 0.2),
      model: ModelShape(dModel: 12, heads: 3, dMLP: 17, activation: .gelu, biases: false, dVocabOut: 59),
      training: TrainingSettings(
        epochs: 7, learningRate: 1.0 / 3, weightDecay: 0, beta1: 0.5, beta2: 0.75, epsilon: 1e-20, warmupEpochs: 3),
      measure: MeasureSettings(evaluateEvery: 9), stop: StopSettings(afterGrokking: 11), modelSeed: 1 << 52, dataSeed: 3
    )
    let decoded = try JSONDecoder().decode(Experiment.self, from: Data(experiment.canonical.text.utf8))
    #expect(decoded == experiment)
    var varied = experiment
    varied.task.labelNoise = 0.125
    varied.model.initializationScale = 1.5
    varied.training = TrainingSettings(
      optimizer: .sgd, momentum: 0.9, schedule: .cosine, batchSize: 64, l1: 1e-5, grokfastAlpha: 0.9,
      grokfastLambda: 2)
    let again = try JSONDecoder().decode(Experiment.self, from: Data(varied.canonical.text.utf8))
    #expect(again == varied)
    #expect(try JSONDecoder().decode(Experiment.self, from: JSONEncoder().encode(varied)) == varied)
  }

  /// What an older build wrote down, and what it would still understand.
  @Test func `the JSON of an experiment with younger keys at their defaults has none of them`() throws {
    let text = String(decoding: try JSONEncoder().encode(Experiment()), as: UTF8.self)
    for key in ["label_noise", "initialization_scale", "optimizer", "batch_size", "schedule", "momentum", "l1"] {
      #expect(!text.contains(key))
    }
    #expect(try JSONDecoder().decode(Experiment.self, from: Data(text.utf8)) == Experiment())
  }

  @Test func `values without effect neither move the id nor stay in a point`() throws {
    func point(_ overrides: [String]) throws -> Point {
      try SweepFile(text: "preset: paper", fileName: "x", overrides: overrides).points[0]
    }
    let paper = try point([])
    for idle in [
      "training.momentum=0.9", "training.grokfast_alpha=0.5", "training.batch_size=3830", "task.label_noise=0",
    ] {
      let point = try point([idle])
      #expect(point.id == paper.id, "\(idle)")
      #expect(point.experiment == Experiment(), "\(idle)")
    }
    let sgd = try point(["training.optimizer=sgd"])
    for idle in ["training.beta1=0.5", "training.beta2=0.5", "training.epsilon=1"] {
      #expect(try point(["training.optimizer=sgd", idle]).experiment == sgd.experiment, "\(idle)")
    }
    #expect(try point(["training.optimizer=sgd", "training.momentum=0.9"]).id != sgd.id)
    #expect(try point(["training.batch_size=3829"]).id != paper.id)
  }

  @Test func `every value moves the id`() throws {
    var ids: Set<PointID> = [PointID(of: Experiment())]
    let changes = [
      "task.operation=multiply", "task.modulus=59", "task.train_fraction=0.31", "model.d_model=64", "model.heads=2",
      "model.d_mlp=64", "model.activation=gelu", "model.biases=false", "model.d_vocab_out=p", "training.epochs=1",
      "training.learning_rate=1", "training.weight_decay=0", "training.beta1=0.5", "training.beta2=0.5",
      "training.epsilon=1", "training.warmup_epochs=0", "measure.evaluate_every=7", "stop.after_grokking=0",
      "model_seed=1", "data_seed=1", "seed=1", "task.label_noise=0.1", "model.initialization_scale=2",
      "training.optimizer=adam", "training.optimizer=sgd", "training.schedule=cosine", "training.batch_size=512",
      "training.l1=1e-5", "training.grokfast_lambda=2",
    ]
    for change in changes {
      let file = try SweepFile(text: "preset: paper", fileName: "x", overrides: [change])
      #expect(ids.insert(file.points[0].id).inserted, "\(change)")
    }
  }

  @Test func `values without effect make one point of a sweep`() throws {
    func count(_ axes: String) throws -> Int {
      try SweepFile(text: "axes: {\(axes)}", fileName: "x").points.count
    }
    #expect(try count("training.optimizer: [adamw, adam, sgd], training.momentum: [0, 0.9]") == 4)
    #expect(try count("training.beta2: [0.98, 0.999], training.optimizer: [adamw, sgd]") == 3)
    #expect(try count("training.grokfast_alpha: [0.9, 0.98], training.grokfast_lambda: [0, 2]") == 3)
    #expect(try count("training.batch_size: [512, 3830, 5000, null]") == 2)
    #expect(try count("training.momentum: [0, 0.5, 0.9], seed: {count: 2}") == 2)
    let all = try SweepFile(
      text: "axes: {training.optimizer: [adamw, sgd], training.momentum: [0, 0.9]}", fileName: "x")
    #expect(Set(all.points.map(\.id)).count == all.points.count)
  }

  @Test func `batches cost their tables at every step`() {
    func cost(_ batchSize: Int?) -> Double {
      var experiment = Experiment()
      experiment.training.batchSize = batchSize
      return experiment.estimatedMultiplyAdds
    }
    #expect(cost(3830) == cost(nil))
    #expect(cost(nil) < cost(2048) && cost(2048) < cost(512) && cost(512) < cost(128) && cost(128) < cost(32))
  }

  @Test func `numbers are written as RFC 8785 writes them`() {
    let cases: [(Double, String)] = [
      (0, "0"), (-0.0, "0"), (1, "1"), (-1, "-1"), (0.3, "0.3"), (-2.5, "-2.5"), (1e-6, "0.000001"), (1e-7, "1e-7"),
      (1.5e-8, "1.5e-8"), (123_456.789, "123456.789"), (100.5, "100.5"), (1e16, "10000000000000000"),
      (0x1p53, "9007199254740992"), (1e20, "100000000000000000000"), (1e21, "1e+21"),
      (1.25e22, "1.25e+22"), (.leastNonzeroMagnitude, "5e-324"), (.greatestFiniteMagnitude, "1.7976931348623157e+308"),
      (1.0 / 3, "0.3333333333333333"), (0.1 + 0.2, "0.30000000000000004"), (333_333_333.33333329, "333333333.3333333"),
    ]
    for (number, text) in cases { #expect(CanonicalJSON.number(number).text == text) }
  }

  @Test func `random numbers come back bit for bit`() {
    var generator = SplitMix(state: 1)
    for _ in 0..<20_000 {
      let number = Double(bitPattern: generator.next())
      guard number.isFinite else { continue }
      #expect(Double(CanonicalJSON.shortest(number)) == number)
    }
  }

  @Test func `objects are sorted and texts escaped`() {
    let value = CanonicalJSON.object([
      .init("b", .list([.null, .flag(true), .text("a\"\\\n\u{1}é")])), .init("a", .object([])), .init("B", .number(1)),
    ])
    #expect(value.text == #"{"B":1,"a":{},"b":[null,true,"a\"\\\n\u0001é"]}"#)
  }

  @Test func `the paper's size costs 0.85 billion multiply-adds an epoch`() {
    let paper = Experiment()
    #expect(abs(paper.estimatedMultiplyAdds / 0.85e9 - 1) < 0.01)
    #expect(abs(paper.estimatedMultiplyAddsOfEvaluation / paper.estimatedMultiplyAdds - 2.4) < 0.1)
    // 40,000 epochs of 10 ms and 401 evaluations of 24; 792 epochs and as many forward passes of 6.4 to locate crossings.
    #expect(abs(paper.estimatedCoreSeconds / 422.6 - 1) < 0.01)
  }

  @Test func `the cost of a run has the epochs that are trained again`() {
    var experiment = Experiment()
    #expect(experiment.epochsTrainedAgain == 0 && experiment.epochsReplayed == 8 * 99)
    let seconds = experiment.estimatedCoreSeconds
    // 484 evaluations of 907,264 bytes and the last fit into 420 MiB.
    experiment.training.epochs = 60_000
    #expect(experiment.epochsTrainedAgain == 60_000 - 48_400)
    let more = 31_600 * experiment.estimatedMultiplyAdds + 200 * experiment.estimatedMultiplyAddsOfEvaluation
    let added = (experiment.estimatedCoreSeconds - seconds) * CostModel.multiplyAddsPerSecond
    #expect(abs(added / more - 1) < 1e-9)
    // No epoch lies between two evaluations.
    experiment.measure.evaluateEvery = 1
    #expect(experiment.epochsReplayed == 0 && experiment.epochsTrainedAgain == 60_000 - 484)
    // One interval is the whole run, evaluated at both ends.
    experiment.training.epochs = 30
    experiment.measure.evaluateEvery = 1000
    #expect(experiment.epochsReplayed == 8 * 29 && experiment.evaluationCount == 2)
  }

  @Test func `with many classes the cost is that of the plan through the residual stream`() {
    var experiment = Experiment(task: LearningTask(modulus: 401))
    experiment.model.dVocabOut = 402
    // 48,240 train pairs, 803 rows of values; rows end in d_model numbers instead of 402 logits.
    let (d, m, v, pairs, rows) = (128, 512, 402, 48_240, 803)
    let products: Int = 3 * pairs * (m * d + d * v)
    let mixing: Int = 3 * pairs * 8 * (m + d)
    let tables: Int = 3 * (rows * d * d + d * d * m + rows * d * (m + d))
    #expect(abs(experiment.estimatedMultiplyAdds / Double(products + mixing + tables) - 1) < 1e-12)
  }

  @Test func `with few pairs the cost is that of pre-activations computed for each`() {
    // 50 train pairs, 27 rows of values; rows are d_model numbers and 14 logits.
    var experiment = Experiment(task: LearningTask(modulus: 13))
    experiment.model.dVocabOut = 14
    let (d, m, v, pairs, rows) = (128, 512, 14, 50, 27)
    let merged: Int = 3 * (pairs * (d * m + m * v + 8 * (d + v)) + rows * d * (d + d + v) + d * d * v + m * d * v)
    #expect(abs(experiment.estimatedMultiplyAdds / Double(merged) - 1) < 1e-12)
    // 1,608 pairs, rows of d_model numbers and nothing else.
    experiment = Experiment(task: LearningTask(modulus: 401, trainFraction: 0.01))
    experiment.model.dVocabOut = 402
    let residual: Int = 3 * (1608 * (2 * d * m + d * 402 + 8 * d) + 803 * d * (d + d))
    #expect(abs(experiment.estimatedMultiplyAdds / Double(residual) - 1) < 1e-12)
  }

  @Test func `runs that differ in their end only are of one lineage, unless the end decides about their first epoch`() {
    let experiment = Experiment()
    var longer = experiment
    longer.training.epochs += 1
    longer.stop.afterGrokking = 500
    #expect(experiment.lineage != nil && experiment.lineage == longer.lineage)
    var other = experiment
    other.training.warmupEpochs += 1
    #expect(other.lineage != nil && other.lineage != experiment.lineage)
    other.training.schedule = .cosine
    #expect(other.lineage == nil)
  }
}

/// Steele, Lea and Flood's generator: seeded, so that a failure comes again.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
