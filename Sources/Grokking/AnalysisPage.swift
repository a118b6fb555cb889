// A model's measures as a page of text, for people; the numbers are those of the JSON.

import Foundation

extension AnalysisReport {
  /// Without a newline at the end.
  package var page: String {
    let sections = [modelLines, lossLines, frequencyLines, neuronLines, headLines, ablationLines]
    return sections.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
  }

  private var modelLines: [String] {
    var lines = [
      "Model    p \(modulus), \(operation.rawValue); d_model \(model.dModel), \(model.heads) heads of \(model.dHead), "
        + "d_mlp \(model.dMLP), \(model.activation.rawValue), \(model.biases ? "biases" : "no biases"), "
        + "\(model.dVocabOut) classes",
      "Weights  sum of squares \(number(sumSquaredWeights)); Gini coefficient of the frequency norms: "
        + "W_E \(fixed(gini(final.normsW_E), 3)), W_L \(fixed(gini(final.normsW_L), 3))",
    ]
    let sums = sumSquaredWeightsByTensor.map { "\($0.name.rawValue) \(number($0.sum))" }
    // Two lines, so that a terminal of 120 columns shows them whole.
    let half = (sums.count + 1) / 2
    lines.append("         by tensor " + sums[..<half].joined(separator: ", ") + ",")
    lines.append("                   " + sums[half...].joined(separator: ", "))
    return lines
  }

  private var lossLines: [String] {
    var lines = [
      "Losses, mean cross-entropy in nats",
      pad("pairs", 14) + pad("loss", 13) + pad("accuracy", 11) + pad("restricted", 13) + pad("excluded", 13)
        + pad("cosines", 13),
    ]
    for (name, losses) in [("train", train), ("test", test), ("all", all)] {
      guard let losses else { continue }
      let special = [losses.restrictedLoss, losses.excludedLoss, losses.cosineLoss]
      lines.append(
        "  " + left(name, 6) + pad(String(losses.pairs), 6) + pad(number(losses.loss), 13)
          + pad(fixed(100 * losses.accuracy, 2) + " %", 11)
          + special.map { pad($0.map(number) ?? "-", 13) }.joined())
    }
    if hasWaves {
      let wave = "cos(2πk(\(waveOperand) − c)/\(isLogarithmic ? modulus - 1 : modulus))"
      lines += [
        "  restricted: of the key frequencies' waves of \(waveOperand) and the mean alone; excluded: without these waves",
        "  cosines: of Σ α·\(wave), k over the key frequencies, in place of the logits",
      ]
      if isLogarithmic {
        lines.append(
          "  These three leave out pairs with a factor 0 and class 0; a, b and c are then discrete logarithms.")
      }
    } else {
      lines.append("  Restricted and excluded loss do not exist for \(operation.rawValue)\(whyNoWaves).")
    }
    if train == nil && test == nil {
      lines.append("  The file has no train_mask, so losses on the train and test pairs are not known.")
    } else if train == nil || test == nil {
      lines.append("  The train_mask leaves no \(train == nil ? "train" : "test") pairs.")
    }
    return lines
  }

  private var waveOperand: String { operation == .subtract ? "a − b" : "a + b" }

  private var whyNoWaves: String {
    operation == .multiply ? " mod \(modulus): discrete logarithms need a prime from 5 on" : ": no waves of a ± b"
  }

  private var frequencyLines: [String] {
    let norms = final.normsW_L.count
    var lines: [String]
    if frequencies.isEmpty {
      lines = ["Key frequencies: none of \(norms)"]
    } else {
      lines = [
        "Key frequencies, \(frequencies.count) of \(norms)",
        pad("k", 6) + pad("norm in W_L", 14) + pad("norm in W_E", 14) + pad("neurons", 10) + pad("cosine α", 11)
          + pad("FVE: u·MLP", 15) + pad("v·MLP", 11) + pad("train loss without k", 23),
      ]
      for entry in frequencies {
        let shares = [entry.varianceExplainedU, entry.varianceExplainedV].map { $0.map(percent) ?? "-" }
        lines.append(
          pad(String(entry.frequency), 6) + pad(fixed(entry.norm, 3), 14)
            + pad(fixed(final.normsW_E[entry.frequency - 1], 3), 14) + pad(String(entry.neurons), 10)
            + pad(entry.cosineCoefficient.map { fixed($0, 3) } ?? "-", 11) + pad(shares[0], 15) + pad(shares[1], 11)
            + pad(entry.excludedLoss.map(number) ?? "-", 23))
      }
    }
    lines.append("  by W_E's norms: \(list(final.keyFrequenciesW_E)); by neurons: \(list(final.keyFrequenciesNeurons))")
    if let share = logitVarianceExplained {
      let turn = "2πk(\(waveOperand))/\(isLogarithmic ? modulus - 1 : modulus)"
      lines += [
        "  FVE: share of the variance of u·MLP that cos \(turn) explains, and of v·MLP that sin does;",
        "       u and v are the directions of the neurons that W_L turns into cos and sin of the class",
        "  The cosines explain \(percent(share)) of the variance of the logits.",
      ]
    }
    if let residual = final.rankResidual {
      let centered = centeredRankResidual.map { ", or \(percent($0)) of what tells classes apart" } ?? ""
      lines.append(
        "  W_L's rank: outside the \(2 * frequencies.count) waves of the key frequencies lie \(percent(residual)) of its norm"
          + centered + ".")
    }
    return lines
  }

  private var neuronLines: [String] {
    let pure = final.neurons.filter { $0.varianceExplained > 0.85 }
    let counts = (1...max(1, final.normsW_L.count)).map { k in (k, pure.count { $0.frequency == k }) }
    let groups = counts.filter { $0.1 > 0 }.map { "\($0.1) with \($0.0)" }
    return [
      "Neurons: one frequency explains over 85 % of the variance of \(pure.count) of \(final.neurons.count)"
        + (groups.isEmpty ? "" : " (" + groups.joined(separator: ", ") + ")")
    ]
  }

  private var headLines: [String] {
    var lines = [
      "Heads, mean attention from =",
      pad("head", 6) + pad("to a", 10) + pad("to b", 10) + pad("to =", 10)
        + pad("best k for a", 15) + pad("FVE", 9),
    ]
    for (index, head) in final.heads.enumerated() {
      lines.append(
        pad(String(index), 6) + head.attention.map { pad(fixed($0, 4), 10) }.joined() + pad(String(head.frequency), 15)
          + pad(percent(head.varianceExplained), 9))
    }
    return lines
  }

  private var ablationLines: [String] {
    guard let original = final.ablations.first(where: { $0.name == .original }) else { return [] }
    let scope =
      isLogarithmic ? "pairs without a factor 0, classes 1…\(modulus - 1)" : "all pairs, classes 0…\(modulus - 1)"
    var lines = ["Ablations: loss over \(scope)", pad("loss", 58) + pad("× original", 13)]
    for entry in final.ablations {
      let ratio = original.loss > 0 ? number(entry.loss / original.loss) : "-"
      lines.append("  " + left(AnalysisReport.words(entry), 43) + pad(number(entry.loss), 13) + pad(ratio, 13))
    }
    return lines
  }

  private static func words(_ ablation: Ablation) -> String {
    switch ablation.name {
    case .original: "the model as it is"
    case .neuronPolynomials: "neurons: each one's best-frequency block"
    case .neuronWaves: "neurons: key waves and means alone"
    case .logitBlocks: "logits: key frequencies' blocks alone"
    case .withoutFrequency: "logits: without waves of \(ablation.frequency.map(String.init) ?? "?")"
    case .onlyKeyFrequencies: "logits: key waves and means alone"
    case .keyDirections: "neurons: W_L's key directions alone"
    case .keyDirectionsComplement: "neurons: without W_L's key directions"
    case .noSkip: "no residual stream around the MLP"
    }
  }

  private func list(_ frequencies: [Int]) -> String {
    frequencies.isEmpty ? "none" : frequencies.map(String.init).joined(separator: ", ")
  }

  /// Five significant digits.
  private func number(_ value: Double) -> String { String(format: "%.5g", value) }

  /// Large numbers in scientific form, at most ten characters, so that columns stay apart.
  private func fixed(_ value: Double, _ digits: Int) -> String {
    abs(value) < 1e5 ? String(format: "%.\(digits)f", value) : String(format: "%.2e", value)
  }

  private func percent(_ share: Double) -> String { fixed(100 * share, 1) + " %" }

  private func left(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// Right-aligned.
  private func pad(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
