// Results with every measure in them, there and back; how large they are; and what is no result.

import Foundation
import Grokking
import Sweeps
import Testing

@Suite struct WireResultTests {
  private func frames(_ result: RunResult) throws -> [[UInt8]] {
    try WireCodec.encode(.finished(lease: LeaseID(1), point: MachineSamples.id(1), result, seconds: 1))
  }

  private func back(_ frames: [[UInt8]]) throws -> RunResult? {
    guard case .finished(_, _, let result, _) = try WireCodec.decodeWorkerMessage(frames) else { return nil }
    return result
  }

  @Test(arguments: FullResults.all)
  func `every measure comes out as it went in, and so does its absence`(_ result: RunResult) throws {
    let sent = try frames(result)
    let received = try #require(try back(sent))
    #expect(received == result)
    #expect(try frames(received) == sent)
  }

  @Test func `a result of paper size takes a third of a megabyte`() throws {
    let sent = try frames(FullResults.result(frequencies: 56, keys: 5, neurons: 512, heads: 4, evaluations: 401))
    #expect(sent.map(\.count)[0] < 8_000)
    #expect(sent.map(\.count)[1] < 300_000)
  }

  @Test func `the largest model, all of its frequencies key, fits into both frames`() throws {
    let result = FullResults.result(frequencies: 511, keys: 511, neurons: 65_536, heads: 4096, evaluations: 401)
    let sent = try frames(result)
    #expect(sent[0].count < WireCodec.maximumJSONBytes)
    #expect(sent[1].count < WireCodec.maximumFrameBytes / 10)
    #expect(try back(sent) == result)
  }

  @Test(arguments: [(3, 16), (113, 512), (113, 65_536), (1024, 65_536)])
  func `whatever an experiment may ask for fits into a frame`(modulus: Int, dMLP: Int) throws {
    var experiment = Experiment(
      task: LearningTask(modulus: modulus, trainFraction: 0.5),
      model: ModelShape(dModel: 8, heads: 1, dMLP: dMLP, dVocabOut: modulus), measure: MeasureSettings(evaluateEvery: 1)
    )
    func isPossible(_ epochs: Int) -> Bool {
      experiment.training.epochs = epochs
      return experiment.problems().isEmpty
    }
    // The longest run that may be evaluated at every epoch.
    var (possible, impossible) = (1, 1_000_000)
    while impossible - possible > 1 {
      let middle = (possible + impossible) / 2
      if isPossible(middle) { possible = middle } else { impossible = middle }
    }
    #expect(!isPossible(impossible))
    let message = try #require(experiment.problems().first).message
    #expect(message.hasPrefix("evaluate_every 1 gives \(impossible + 1) evaluations in \(impossible) epochs, and "))
    #expect(message.hasSuffix("at most \(possible + 1) of modulus \(modulus) fit into a result; raise it"))
    // Its frame, every measure everywhere and absent once, from two that are shorter.
    let frequencies = (modulus - 1) / 2
    func bytes(_ evaluations: Int) throws -> Int {
      var result = FullResults.result(
        frequencies: frequencies, keys: frequencies, neurons: dMLP, heads: 1, evaluations: evaluations)
      for row in result.evaluations.indices { result.evaluations[row].sumSquaredByTensor[7] = 1 }
      return try frames(result)[1].count
    }
    let (ten, thirty) = (try bytes(10), try bytes(30))
    let each = Double(thirty - ten) / 20 + 19.0 / 8
    let largest = Double(ten) + each * Double(possible + 1 - 10) + 40 * Double(possible / 1000 + 1)
    #expect(largest < Double(WireCodec.maximumFrameBytes))
    #expect(largest > 0.99 * Double(WireCodec.maximumFrameBytes))
  }

  @Test func `a curve that does not fit into a frame is refused before it is built`() throws {
    var result = FullResults.result(frequencies: 511, keys: 511, evaluations: 1)
    result.evaluations = (0..<6000).map { epoch in
      var evaluation = result.evaluations[0]
      evaluation.epoch = epoch
      return evaluation
    }
    result.epochs = 6000
    #expect(
      throws: WireError.tooLarge(
        "a curve of 6000 evaluations takes 74744493 bytes, more than the 67108864 of a frame; raise "
          + "measure.evaluate_every")
    ) { try frames(result) }
  }

  private static let contradictions: [(String, @Sendable (inout RunResult) -> Void)] = [
    (
      "the evaluation at epoch 1 has a spectrum of 4 frequencies instead of 5",
      { $0.evaluations[1].normsW_E.removeLast() }
    ),
    ("the final model has spectra of 4 and 5 frequencies instead of 5", { $0.finalModel!.normsW_E.removeLast() }),
    (
      "the evaluation at epoch 2 has sums of squares of 1 tensors instead of 11",
      { $0.evaluations[2].sumSquaredByTensor = [1] }
    ),
    (
      "the evaluation at epoch 0 measures other frequencies than the key frequencies",
      { $0.evaluations[0].keyFrequencies[1].frequency = 3 }
    ),
    (
      "the final model has a head without its mean attention to a, b and =",
      { $0.finalModel!.heads[0].attention = [1] }
    ),
    ("the evaluation at epoch 0 is not finite", { $0.evaluations[0].normsW_L[1] = .infinity }),
    ("the evaluation at epoch 0 is not finite", { $0.evaluations[0].keyFrequencies[0].excludedLoss = .nan }),
    ("a measure of the final model is not finite", { $0.finalModel!.neurons[3].varianceExplained = .infinity }),
    (#""key_frequencies" of a result must ascend between 1 and 5"#, { $0.keyFrequencies[1].frequency = 6 }),
    (#""key_frequencies" of a result must ascend between 1 and 5"#, { $0.keyFrequencies[1].frequency = 1 }),
    ("a key frequency of a result has neurons below 0", { $0.keyFrequencies[0].neurons = -1 }),
    (#""key_frequencies_w_e" of a result must ascend between 1 and 5"#, { $0.finalModel!.keyFrequenciesW_E = [3, 2] }),
    (
      #""key_frequencies_neurons" of a result must ascend between 1 and 5"#,
      { $0.finalModel!.keyFrequenciesNeurons = [0] }
    ),
    (
      "a neuron or head of a result has a frequency outside 1 to 5", { $0.finalModel!.neurons[0].frequency = 6 }
    ),
    ("a neuron or head of a result has a frequency outside 1 to 5", { $0.finalModel!.heads[1].frequency = -1 }),
    (
      "a neuron or head of a result has a share of variance below 0",
      { $0.finalModel!.heads[1].varianceExplained = -0.1 }
    ),
    (
      "the ablation original of a result has the wrong frequency with it", { $0.finalModel!.ablations[0].frequency = 1 }
    ),
    (
      "the ablation without_frequency of a result has the wrong frequency with it",
      { $0.finalModel!.ablations[4].frequency = .max }
    ),
    ("the ablations of a result are out of order", { $0.finalModel!.ablations.swapAt(0, 1) }),
    ("the ablations of a result are out of order", { $0.finalModel!.ablations[5] = $0.finalModel!.ablations[4] }),
    ("the crossings of a result are not those that are watched", { $0.crossings.removeLast() }),
    ("the crossings of a result are not those that are watched", { $0.crossings[0].threshold = 0.98 }),
    ("the crossing of test_accuracy 0.5 of a result has impossible epochs", { $0.crossings[1].sustained = 4 }),
    ("the crossing of test_accuracy 0.9 of a result has impossible epochs", { $0.crossings[2].sustained = 0 }),
    ("the crossing of test_accuracy 0.9 of a result has impossible epochs", { $0.crossings[2].first = -1 }),
    ("the crossing of test_accuracy 1.0 of a result has impossible epochs", { $0.crossings[5].sustained = 2 }),
    ("the phases of a result are out of order", { $0.phases.swapAt(0, 1) }),
    ("the phases of a result are out of order", { $0.phases[1].name = .memorization }),
    ("the phase memorization of a result has impossible epochs", { $0.phases[0].end = 4 }),
    ("the phase circuit_formation of a result has impossible epochs", { $0.phases[1].start = .max }),
  ]

  @Test(arguments: contradictions.indices)
  func `a result that contradicts itself is not sent`(_ index: Int) {
    let (words, change) = Self.contradictions[index]
    var result = FullResults.result()
    change(&result)
    #expect(throws: WireError.malformed(words)) { try WireCodec.check(result) }
  }

  /// What a sender of ours does not write may come all the same.
  @Test func `a result that contradicts itself is not received either`() throws {
    let sent = try frames(FullResults.result())
    let json = String(decoding: sent[0], as: UTF8.self)
    func complaint(_ old: String, _ new: String, _ curve: [UInt8]? = nil) -> String {
      #expect(json.contains(old))
      do {
        _ = try back([Array(json.replacingOccurrences(of: old, with: new).utf8), curve ?? sent[1]])
        return "no complaint"
      } catch { return "\(error)" }
    }
    #expect(complaint(#""key_frequencies_w_e":[1,2]"#, #""key_frequencies_w_e":[1,9]"#).contains("between 1 and 5"))
    #expect(
      complaint(#""name":"circuit_formation""#, #""name":"boredom""#)
        .hasPrefix(#""result.phases.1.name" of a message is wrong: "#))
    #expect(complaint(#""frequency":2,"loss""#, #""frequency":9223372036854775807,"loss""#).contains("wrong frequency"))
    #expect(complaint(#""threshold":0.99"#, #""threshold":0.9"#).contains("not those that are watched"))
    #expect(complaint(#""rank_residual":"#, #""rank_residual":1e999,"x":"#).contains("no JSON object"))
    let start = try #require(json.range(of: #""final_model":{"#)).lowerBound
    let end = try #require(json.range(of: #""kernel_path""#)).lowerBound
    #expect(
      complaint(String(json[start..<end]), "")
        == "the second frame of a result measures a final model that the first does not have")
    // Header: evaluations at byte 8, digests 12, frequencies 16, neurons 20, heads 24, norms 28, states from 29 on.
    func changed(_ place: Int, _ byte: UInt8) -> [UInt8] {
      var curve = sent[1]
      curve[place] = byte
      return curve
    }
    #expect(complaint("{", "{", changed(18, 1)) == "a curve of 65541 frequencies; at most 511 are possible")
    #expect(complaint("{", "{", changed(23, 255)).hasSuffix(" neurons; at most 65536 are possible"))
    #expect(complaint("{", "{", changed(25, 255)).hasSuffix(" heads; at most 4096 are possible"))
    #expect(complaint("{", "{", changed(28, 2)) == "a curve with an unknown kind of column")
    #expect(complaint("{", "{", changed(48, 3)) == "a curve with an unknown kind of column")
    #expect(complaint("{", "{", changed(16, 4)).contains(" evaluations and 1 digests takes "))
    #expect(complaint("{", "{", changed(16, 0)).hasPrefix("a curve with a spectrum of no frequencies, or "))
    #expect(complaint("{", "{", changed(20, 17)).contains(" evaluations and 1 digests takes "))
  }
}
