// A model's measures as a page of text, for people; the numbers are those of the JSON.

import Foundation

extension AnalysisReport {
  /// Ends with a newline.
  package var page: String {
    var lines = [
      "Model    p \(modulus), \(operation.rawValue); d_model \(model.dModel), \(model.heads) heads of \(model.dHead), "
        + "d_mlp \(model.dMLP), \(model.activation.rawValue), \(model.biases ? "biases" : "no biases"), "
        + "\(model.dVocabOut) classes",
      "Weights  sum of squares \(number(sumSquaredWeights)); Gini coefficient of the frequency norms: "
        + "W_E \(fixed(gini(spectra.normsW_E), 3)), W_L \(fixed(gini(spectra.normsW_L), 3))",
      "",
    ]
    lines += lossLines + [""] + frequencyLines + [""] + neuronLines + [""]
    lines.append("Heads: mean attention from = to a, b and =")
    for (index, head) in heads.enumerated() {
      lines.append("  \(pad(String(index), 2))  " + head.attention.map { pad(fixed($0, 4), 9) }.joined())
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private var lossLines: [String] {
    var lines = [
      pad("pairs", 16) + pad("loss", 13) + pad("accuracy", 11) + pad("restricted loss", 18) + pad("excluded loss", 16)
    ]
    for (name, losses) in [("train", train), ("test", test), ("all", all)] {
      guard let losses else { continue }
      lines.append(
        name.padding(toLength: 6, withPad: " ", startingAt: 0) + pad(String(losses.pairs), 10)
          + pad(number(losses.loss), 13) + pad(fixed(100 * losses.accuracy, 2) + " %", 11)
          + pad(losses.restrictedLoss.map(number) ?? "-", 18) + pad(losses.excludedLoss.map(number) ?? "-", 16))
    }
    if train == nil && test == nil {
      lines.append("The file has no train_mask, so losses on the train and test pairs are not known.")
    }
    if all.restrictedLoss == nil {
      lines.append(
        "Restricted and excluded loss do not exist for \(operation.rawValue): its logits are no waves of a ± b.")
    }
    return lines
  }

  private var frequencyLines: [String] {
    guard !frequencies.isEmpty else { return ["Key frequencies: none"] }
    var lines = [
      "Key frequencies, \(frequencies.count) of \(spectra.normsW_L.count)",
      pad("k", 6) + pad("norm in W_L", 14) + pad("norm in W_E", 14) + pad("cosine coefficient", 21)
        + pad("train loss without it", 24),
    ]
    for entry in frequencies {
      lines.append(
        pad(String(entry.frequency), 6) + pad(fixed(spectra.normsW_L[entry.frequency - 1], 3), 14)
          + pad(fixed(spectra.normsW_E[entry.frequency - 1], 3), 14)
          + pad(entry.cosineCoefficient.map { fixed($0, 3) } ?? "-", 21)
          + pad(entry.excludedLoss.map(number) ?? "-", 24))
    }
    if let share = logitVarianceExplained {
      lines.append("Their cosines explain \(fixed(100 * share, 1)) % of the variance of the logits.")
    }
    return lines
  }

  private var neuronLines: [String] {
    let pure = neurons.filter { $0.varianceExplained > 0.85 }
    let counts = (1...max(1, spectra.normsW_L.count)).map { k in (k, pure.count { $0.frequency == k }) }
    let groups = counts.filter { $0.1 > 0 }.map { "\($0.1) with \($0.0)" }
    return [
      "Neurons: one frequency explains over 85 % of the variance of \(pure.count) of \(neurons.count)"
        + (groups.isEmpty ? "" : " (" + groups.joined(separator: ", ") + ")")
    ]
  }

  /// Five significant digits.
  private func number(_ value: Double) -> String { String(format: "%.5g", value) }

  private func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

  /// Right-aligned.
  private func pad(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
