// The test vectors of docs/reference/numbers.md. Whoever has to change one changes the engine's semantics version too.

import Grokking
import Kernels
import Testing

@Suite struct NumbersTests {
  private static func small(epochs: Int = 1) -> Experiment {
    Experiment(
      task: LearningTask(modulus: 5, trainFraction: 0.5),
      model: ModelShape(dModel: 4, heads: 2, dMLP: 8, dVocabOut: 6), training: TrainingSettings(epochs: epochs))
  }

  private struct Vector: Sendable {
    let seed: UInt64
    let name: String
    let outputs: [UInt64]
    let below113: [Int]
    let normals: [UInt64]
  }

  /// Made by a second implementation, written in another language from the page.
  private static let vectors = [
    Vector(
      seed: 0, name: "split",
      outputs: [0x010d_0fb9_c43f_9c44, 0x6ff7_fca4_7153_a2af, 0x54eb_88bc_210f_7230, 0x9c79_0638_0987_b8f6],
      below113: [23, 42, 9, 108, 16, 60, 105, 5],
      normals: [0xbfa2_93ff_7223_2422, 0xbf72_c4c1_241d_2ee6, 0xbff9_6f5d_5b1b_cec0]),
    Vector(
      seed: 0, name: "start/W_E",
      outputs: [0x34c4_3ce6_686f_b1e5, 0x71e7_f50e_373f_255e, 0xd94a_b6ef_42c0_8415, 0x7ccd_b8b0_f0cb_91da],
      below113: [60, 99, 33, 99, 51, 25, 82, 71],
      normals: [0xbff6_8dc9_bb0c_29b1, 0xbfd0_e68c_6e1b_bc20, 0x3ff3_2c80_b5bf_c997]),
    Vector(
      seed: 1, name: "split",
      outputs: [0x4b8e_cfb3_2b1a_c017, 0x6188_114e_a51c_df45, 0xfc87_6b07_ca81_38c3, 0x0351_db9a_a074_7f0d],
      below113: [53, 78, 89, 4, 84, 52, 11, 35],
      normals: [0xbff7_e99b_cf8a_27ff, 0xbfeb_c937_4c67_f4c1, 0xbfc7_9e66_418f_a622]),
  ]

  @Test func `streams give the documented outputs, residues and normals`() {
    for vector in Self.vectors {
      func drawn<Value>(_ count: Int, _ draw: (inout RandomStream) -> Value) -> [Value] {
        var stream = RandomStream(seed: vector.seed, stream: vector.name)
        return (0..<count).map { _ in draw(&stream) }
      }
      #expect(drawn(4) { $0.next() } == vector.outputs)
      #expect(drawn(8) { $0.uniform(below: 113) } == vector.below113)
      #expect(drawn(3) { $0.normal().bitPattern } == vector.normals)
    }
  }

  @Test func `exp and ln have the documented bits`() {
    let exponentials: [(Double, UInt64)] = [
      (-1, 0x3fd7_8b56_362c_ef38), (-20, 0x3e21_b486_55f3_7267), (0.5, 0x3ffa_6129_8e1e_069c),
    ]
    for (x, bits) in exponentials { #expect(DeterministicMath.exp(x).bitPattern == bits) }
    let logarithms: [(Double, UInt64)] = [
      (0.1, 0xc002_6bb1_bbb5_5515), (0.5, 0xbfe6_2e42_fefa_39ef), (20, 0x4007_f742_7b73_e391),
    ]
    for (x, bits) in logarithms { #expect(DeterministicMath.log(x).bitPattern == bits) }
  }

  @Test func `the documented train set, labels and weights are drawn`() {
    let start = Start(Self.small())
    #expect(start.split.trainPairs == [3, 8, 9, 12, 13, 15, 16, 18, 20, 21, 22, 24])
    #expect(start.weights.W_E.prefix(4).map(\.bitPattern) == [0xbf34_6e4e, 0xbe07_3463, 0x3f19_6406, 0xbcaf_b5f6])
    #expect(
      LearningTask(operation: .random, modulus: 5).labels(dataSeed: 0)
        == [2, 2, 1, 0, 3, 4, 4, 4, 3, 4, 3, 4, 2, 3, 1, 3, 4, 0, 4, 2, 4, 3, 0, 1, 1])
    #expect(Experiment(task: LearningTask(modulus: 10, trainFraction: 0.29)).trainPairCount == 28)
  }

  @Test(arguments: KernelPath.available) func `runs end with the documented digests`(_ path: KernelPath) throws {
    #expect(try digest(Self.small(), path) == "b8ed226a9490ca04b1a7e9013f09103eb599668db018c23c6d3615e29653e345")
    #expect(
      try digest(Self.small(epochs: 20), path) == "2afffec00806d27a074e574b57dda6d2fbc08b66ef10e0a9c83997457816e947")
    #expect(
      try digest(Self.small(epochs: 1500), path)
        == "4c61d3329cfc2ef15b08e97e07e53877324d1961678f773144997cfb34ca762d")
    var gelu = Self.small(epochs: 1500)
    gelu.model.activation = .gelu
    #expect(try digest(gelu, path) == "f1ab972be29b81d6fb442f0f6e6763a25297073274e98c69d31b1e0624caee33")
  }

  /// Of the small model after 1,500 epochs, everything else as before.
  private static let variants: [(change: @Sendable (inout Experiment) -> Void, digest: String)] = [
    ({ $0.training.optimizer = .adam }, "0a45e01e1e9a490a9ac3069b40d1d08573cfd8898ebff9c4a03ef42622ef0e0f"),
    (
      {
        $0.training.optimizer = .sgd
        ($0.training.learningRate, $0.training.momentum, $0.training.weightDecay) = (0.05, 0.9, 0.001)
      }, "d21a4ef0fc3077222b5f8896de563e05b4d9e429277f40a936c9ed91ab5f88d9"
    ),
    ({ $0.training.grokfastLambda = 2 }, "c943a33c94584fbb345be5f9ce67dbf08c1acad4a9f262e9539325d431dbf5de"),
    ({ $0.training.l1 = 0.001 }, "b797ebe7062c34b73d58a50d2278ebf7d3a373b86db38a594e0553f2bfcef839"),
    ({ $0.training.schedule = .cosine }, "c2f98a42d648efc40362651fa517f1aa44c9bca589d0c8c6e267009b1ec444f1"),
    ({ $0.training.batchSize = 5 }, "929486b3dc300cc31142044e272152f513f972ede08c31553e08b6bba64940d9"),
    (
      { ($0.task.labelNoise, $0.model.initializationScale) = (0.25, 1.5) },
      "62860f66a40f5a52cae5cc7e47e7945a8ac1a29b74715fecc9e85053cecf6421"
    ),
  ]

  @Test(arguments: KernelPath.available) func `variants end with the documented digests`(_ path: KernelPath) throws {
    for (place, variant) in Self.variants.enumerated() {
      var experiment = Self.small(epochs: 1500)
      variant.change(&experiment)
      #expect(try digest(experiment, path) == variant.digest, "\(place)")
    }
  }

  private struct Documented: Sendable {
    let plan: StepPlan
    let modulus: Int
    let fraction: Double
    let dModel: Int
    let dMLP: Int
    let relu: String
    let gelu: String
  }

  /// After 1,500 epochs.
  private static let ofPlans = [
    Documented(
      plan: StepPlan(input: .tables, output: .merged), modulus: 13, fraction: 0.9, dModel: 16, dMLP: 16,
      relu: "42fdc0190ff0f34db05144587fed389123668c7c0164f6a7b1e0d16bbcd4b5c3",
      gelu: "c56e40e8ab499746cae8b9830d8e1e5fd4752a24405bcd3b263fe060fe3adb04"),
    Documented(
      plan: StepPlan(input: .tables, output: .residual), modulus: 37, fraction: 0.5, dModel: 8, dMLP: 32,
      relu: "871f0cc66b8265cdd075b34366e3186248ba564e2f8577e7ffd0a385ab7e048d",
      gelu: "ce0256d4fbb37a7f5e951dd954bbeb446669b25b2935c70b60d79af570dff8bb"),
    Documented(
      plan: StepPlan(input: .direct, output: .merged), modulus: 13, fraction: 0.3, dModel: 32, dMLP: 128,
      relu: "2063cce892e2fc0a46ac8f6a268815e297aeaee7995d23fc06c16210e845189c",
      gelu: "2a384d5f7b169c59797f638b771fefa614da9f7eca5eabd7e95a8b827f816a3f"),
    Documented(
      plan: StepPlan(input: .direct, output: .residual), modulus: 37, fraction: 0.05, dModel: 8, dMLP: 32,
      relu: "4db12ffe2aaf87a6e251b73d5a540bdc257298f8506a038852a8eb6661bfd6f4",
      gelu: "b31d7949bad8362939e4fe4f175e9b5783bc4a9464343d6d8630752e8a12da63"),
  ]

  @Test(arguments: KernelPath.available) func `each plan ends with its documented digests`(_ path: KernelPath) throws {
    for documented in Self.ofPlans {
      var experiment = Experiment(
        task: LearningTask(modulus: documented.modulus, trainFraction: documented.fraction),
        model: ModelShape(
          dModel: documented.dModel, heads: 2, dMLP: documented.dMLP, dVocabOut: documented.modulus + 1),
        training: TrainingSettings(epochs: 1500))
      for (activation, digest) in [(Activation.relu, documented.relu), (.gelu, documented.gelu)] {
        experiment.model.activation = activation
        #expect(experiment.stepPlan(pairs: experiment.trainPairCount) == documented.plan)
        #expect(try self.digest(experiment, path) == digest)
      }
    }
  }

  private func digest(_ experiment: Experiment, _ path: KernelPath) throws -> String {
    let run = try Run(experiment, kernels: path, snapshots: .inMemory())
    while !run.isFinished { try run.advance() }
    return try run.result().digest
  }
}
