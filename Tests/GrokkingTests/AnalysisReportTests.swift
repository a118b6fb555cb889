// The whole report against the measures that an independent float64 implementation took of the same files.

import Foundation
import Grokking
import Testing

@Suite struct AnalysisReportTests {
  private func report(_ name: String, operation: Grokking.Operation? = nil) throws -> AnalysisReport {
    try AnalysisReport(
      model: Fixture.model("\(name)/end.safetensors"), operation: operation ?? Fixture.operation(name))
  }

  private func object(_ report: AnalysisReport) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(report.json().utf8)) as? [String: Any])
  }

  /// All numbers of a JSON value, objects by sorted key.
  private func numbers(_ value: Any?) -> [Double] {
    switch value {
    case let number as NSNumber: [number.doubleValue]
    case let list as [Any]: list.flatMap(numbers)
    case let object as [String: Any]: object.keys.sorted().flatMap { numbers(object[$0]) }
    default: []
    }
  }

  private func compare(_ found: [String: Any], _ expected: [String: Any], keys: [String], within tolerance: Double) {
    for key in keys {
      let (found, expected) = (numbers(found[key]), numbers(expected[key]))
      #expect(found.count == expected.count && !found.isEmpty, "\(key)")
      for (x, y) in zip(found, expected) {
        #expect(abs(x - y) <= tolerance * max(abs(y), 1e-9), "\(key): \(x), not \(y)")
      }
    }
  }

  private func expectedMeasures(_ name: String) throws -> [String: Any] {
    try #require(try Fixture.expected(name)["measures_of_end"] as? [String: Any])
  }

  @Test(arguments: ["tiny", "grokked"])
  func `every measure of the addition fixtures is there and agrees to 1e-9`(name: String) throws {
    let expected = try expectedMeasures(name)
    let found = try object(report(name))
    compare(found, expected, keys: expected.keys.sorted(), within: 1e-9)
    #expect(found["key_frequencies"] as? [Int] == expected["key_frequencies"] as? [Int])
    #expect(found["neuron_frequency"] as? [Int] == expected["neuron_frequency"] as? [Int])
    #expect(
      (found["excluded_loss_by_frequency"] as? [String: Any])?.keys.sorted()
        == (expected["excluded_loss_by_frequency"] as? [String: Any])?.keys.sorted())
  }

  @Test(arguments: ["small", "quadratic"])
  func `measures without waves agree for the other operations too`(name: String) throws {
    let expected = try expectedMeasures(name)
    // A neuron active on a single pair fits all frequencies equally, so only its share is comparable.
    let keys = expected.keys.filter {
      !$0.hasPrefix("restricted") && !$0.hasPrefix("excluded") && !$0.hasPrefix("logit") && $0 != "neuron_frequency"
    }
    #expect(keys.count == 19)
    compare(try object(report(name)), expected, keys: keys.sorted(), within: 1e-9)
  }

  @Test func `fixtures of other operations agree on the waves of a+b when asked for those`() throws {
    for name in ["small", "quadratic"] {
      let expected = try expectedMeasures(name)
      // Labels are another operation's then, so only what needs no labels is comparable.
      compare(
        try object(report(name, operation: .add)), expected, keys: ["logit_cosine_coefficients", "logit_fve"],
        within: 1e-9)
    }
  }

  @Test func `measures that an operation does not have are left out`() throws {
    let found = try object(report("quadratic"))
    for key in found.keys {
      #expect(!key.hasPrefix("restricted") && !key.hasPrefix("excluded") && !key.hasPrefix("logit"), "\(key)")
    }
    #expect(found["operation"] as? String == "x2xyy2")
    #expect(found["key_frequencies"] != nil)
  }

  @Test func `without a train mask only measures of all pairs are there`() throws {
    var file = try Fixture.model("tiny/end.safetensors")
    let whole = try object(AnalysisReport(model: file, operation: .add))
    file.trainMask = nil
    let found = try object(AnalysisReport(model: file, operation: .add))
    for key in found.keys {
      #expect(!key.contains("train") && !key.contains("test") && key != "excluded_loss_by_frequency", "\(key)")
    }
    for key in ["all_loss", "all_loss_p", "all_accuracy", "restricted_loss_all", "excluded_loss_all"] {
      #expect(numbers(found[key]) == numbers(whole[key]))
    }
  }

  @Test func `a mask that trains on every pair has no test measures`() throws {
    var file = try Fixture.model("tiny/end.safetensors")
    file.trainMask = [Bool](repeating: true, count: 49)
    let found = try object(AnalysisReport(model: file, operation: .add))
    #expect(found["test_loss"] == nil && found["restricted_loss_test"] == nil)
    #expect(numbers(found["train_loss"]) == numbers(found["all_loss"]))
  }

  @Test func `biases of zero change nothing`() throws {
    let with = try Fixture.model("tiny/end.safetensors")
    var zero = with
    for name in [TensorName.b_in, .b_out] { zero.weights[name] = with.weights[name].map { _ in 0 } }
    var shape = with.model
    shape.biases = false
    var without = Parameters<Float>(ParameterLayout(modulus: 7, model: shape))
    for tensor in without.layout.tensors { without[tensor.name] = with.weights[tensor.name] }
    let expected = try AnalysisReport(model: zero, operation: .add)
    let found = try AnalysisReport(model: ModelFile(weights: without, trainMask: with.trainMask), operation: .add)
    #expect(found.all == expected.all)
    #expect(found.train == expected.train)
  }

  @Test func `chosen key frequencies replace the model's own`() throws {
    let file = try Fixture.model("grokked/end.safetensors")
    let own = try AnalysisReport(model: file, operation: .add)
    let chosen = try AnalysisReport(model: file, operation: .add, keys: [27, 8, 16, 15])
    #expect(chosen.keyFrequencies == own.keyFrequencies)
    #expect(chosen.all == own.all)
    let fewer = try AnalysisReport(model: file, operation: .add, keys: [8])
    #expect(try #require(fewer.all.restrictedLoss) > 100 * (try #require(own.all.restrictedLoss)))
    let none = try AnalysisReport(model: file, operation: .add, keys: [])
    #expect(none.all.excludedLoss == none.all.lossP)
  }

  @Test func `frequencies that do not exist, twice the same and a table without its seed are errors in words`() throws {
    let file = try Fixture.model("tiny/end.safetensors")
    for (keys, reason) in [([0], "no frequency 0"), ([1, 4], "no frequency 4"), ([2, 2], "given twice")] {
      do {
        _ = try AnalysisReport(model: file, operation: .add, keys: keys)
        Issue.record("\(keys) was accepted")
      } catch {
        #expect(error.message.contains(reason))
      }
    }
    #expect(throws: AnalysisError.self) { try AnalysisReport(model: file, operation: .random) }
    #expect(try AnalysisReport(model: file, operation: .random, dataSeed: 1).all.restrictedLoss == nil)
  }

  @Test func `weights too large to be measured are an error in words, and just below every number is finite`() throws {
    for scale in [Float(3e38), 1e30, 1e15] {
      var file = try Fixture.model("tiny/end.safetensors")
      for i in file.weights.storage.indices { file.weights.storage[i] *= scale / 10 }
      do {
        let found = try AnalysisReport(model: file, operation: .add)
        #expect(scale == 1e15)
        #expect(throws: Never.self) { try found.json() }
      } catch {
        #expect(scale > 1e15)
        #expect(error.message.contains("too large to be analyzed"))
      }
    }
  }

  @Test(arguments: Activation.allCases, [true, false])
  func `losses and accuracies are the reference model's`(activation: Activation, biases: Bool) throws {
    let shape = ModelShape(dModel: 6, heads: 3, dMLP: 11, activation: activation, biases: biases, dVocabOut: 9)
    var weights = Parameters<Float>(ParameterLayout(modulus: 9, model: shape))
    var noise = Noise(seed: 3)
    for i in weights.storage.indices { weights.storage[i] = Float(noise.unit() * 2 - 1) }
    let task = LearningTask(operation: .multiply, modulus: 9)
    let found = try AnalysisReport(model: ModelFile(weights: weights, trainMask: nil), operation: .multiply)
    let expected = ReferenceModel(weights, activation: activation)
      .evaluate(pairs: Array(0..<81), labels: task.labels(dataSeed: 0))
    #expect(abs(found.all.loss - expected.loss) < 1e-13 * expected.loss)
    #expect(found.all.accuracy == expected.accuracy)
  }

  @Test func `GELU models are measured with GELU`() throws {
    let file = try Fixture.model("tiny/end.safetensors")
    let relu = try AnalysisReport(model: file, operation: .add)
    let gelu = try AnalysisReport(model: file, operation: .add, activation: .gelu)
    #expect(gelu.model.activation == .gelu)
    #expect(gelu.all.loss != relu.all.loss)
    #expect(gelu.spectra == relu.spectra)
  }

  @Test func `the page shows the numbers of the report`() throws {
    let page = try report("grokked").page
    for text in [
      "p 59, add; d_model 64, 4 heads of 16, d_mlp 256, relu, biases, 60 classes", "Key frequencies, 4 of 29",
      "240 of 256", "(37 with 8, 106 with 15, 22 with 16, 75 with 27)", "6.0788e-05", "100.00 %",
      "by W_E's norms: 8, 15, 16, 27; by neurons: 8, 15, 16, 27", "cos(2πk(a + b − c)/59)",
      "logits: key waves and means alone             4.2315e-05", "41.06",
    ] {
      #expect(page.contains(text), "\(page)")
    }
    #expect(page.split(separator: "\n").allSatisfy { $0.count <= 120 }, "\(page)")
    #expect(try report("small").page.contains("waves of a − b"))
    #expect(try report("quadratic").page.contains("Restricted and excluded loss do not exist for x2xyy2"))
    let product = try report("quadratic", operation: .multiply).page
    #expect(product.contains("cos(2πk(a + b − c)/30)") && product.contains("classes 1…30"))
    #expect(try report("grokked", operation: .multiply).page.contains("of 28"))
    var file = try Fixture.model("tiny/end.safetensors")
    file.trainMask = nil
    #expect(try AnalysisReport(model: file, operation: .add).page.contains("no train_mask"))
    file.trainMask = [Bool](repeating: false, count: 49)
    #expect(try AnalysisReport(model: file, operation: .add).page.contains("leaves no train pairs"))
  }

  @Test func `columns of the page stay apart however large the numbers are`() throws {
    var file = try Fixture.model("tiny/end.safetensors")
    for i in file.weights.storage.indices { file.weights.storage[i] *= 1e14 }
    let report = try AnalysisReport(model: file, operation: .add)
    let lines = report.page.split(separator: "\n")
    let title = try #require(lines.firstIndex { $0.hasSuffix("train loss without k") })
    for (line, frequency) in zip(lines[(title + 1)...], report.frequencies) {
      // k, two norms, neurons, α, two shares with their signs, and a loss.
      let columns = line.split(separator: " ")
      #expect(columns.count == 10, "\(line)")
      #expect(columns[0] == "\(frequency.frequency)" && columns[4].contains("e+"), "\(line)")
    }
    #expect(lines.allSatisfy { $0.count <= 120 }, "\(report.page)")
  }

  @Test func `the JSON holds everything of the page, lists aligned with their frequencies and heads`() throws {
    let found = try object(report("grokked"))
    for key in ["fve_u", "fve_v", "logit_cosine_coefficients", "key_frequency_neurons", "key_frequencies"] {
      #expect(numbers(found[key]).count == 4, "\(key)")
    }
    for key in ["attention_to_a", "attention_to_b", "attention_to_equals", "head_frequency", "head_fve"] {
      #expect(numbers(found[key]).count == 4, "\(key)")
    }
    #expect(found["key_frequencies_w_e"] as? [Int] == [8, 15, 16, 27])
    #expect(found["key_frequencies_neurons"] as? [Int] == [8, 15, 16, 27])
    #expect(found["key_frequency_neurons"] as? [Int] == [37, 106, 22, 75])
    let ablations = try #require(found["ablations"] as? [[String: Any]])
    #expect(
      ablations.compactMap { $0["name"] as? String }
        == ["original", "neuron_polynomials", "neuron_waves", "logit_blocks"]
        + [String](repeating: "without_frequency", count: 4)
        + ["only_key_frequencies", "key_directions", "key_directions_complement", "no_skip"])
    #expect(ablations.compactMap { $0["frequency"] as? Int } == [8, 15, 16, 27])
    let expected = try expectedMeasures("grokked")
    func same(_ loss: Any?, _ name: String) throws {
      let (loss, expected) = (try #require(loss as? Double), try #require(expected[name] as? Double))
      #expect(abs(loss - expected) < 1e-9 * expected, "\(name)")
    }
    try same(ablations.first?["loss"], "all_loss_p")
    try same(ablations[8]["loss"], "restricted_loss_all")
    #expect(found["measure_version"] as? Int == 2)
  }

  @Test func `a model without the class of = is measured the same`() throws {
    let file = try Fixture.model("grokked/end.safetensors")
    var shape = file.model
    shape.dVocabOut = 59
    var weights = Parameters<Float>(ParameterLayout(modulus: 59, model: shape))
    for tensor in weights.layout.tensors where tensor.name != .W_U { weights[tensor.name] = file.weights[tensor.name] }
    weights[.W_U] = (0..<64).flatMap { Array(file.weights.W_U[$0 * 60..<$0 * 60 + 59]) }
    let found = try AnalysisReport(model: ModelFile(weights: weights, trainMask: file.trainMask), operation: .add)
    let expected = try AnalysisReport(model: file, operation: .add)
    #expect(found.all.loss == expected.all.lossP && found.all.lossP == expected.all.lossP)
    #expect(found.frequencies == expected.frequencies && found.final == expected.final)
  }
}
