// Figures of a run's frequencies: the spectra of its final model, how they grew, what its neurons compute with, and what
// removing parts costs (Nanda et al. 2023, figures 3, 5 and 6). All from the store.

import Figures
import Grokking

extension RunSubject {
  func spectrum(of tensor: String, _ norms: [Double]) -> Drawn {
    let keys = result.keyFrequencies.map(\.frequency)
    let largest = norms.max() ?? 0
    let rest = norms.indices.filter { !keys.contains($0 + 1) }.map { norms[$0] }.max() ?? 0
    let meaning =
      tensor == "W_E"
      ? "the embedding W_E, along the tokens" : "the map W_L = W_out·W_U from neurons to logits, along the classes"
    let logarithms = circle.isLogarithmic ? " Frequencies are of discrete logarithms." : ""
    func bar(_ k: Int) -> Bars.Bar {
      Bars.Bar(
        Double(k), norms[k - 1],
        title: "k = \(k): \(NumberText.value(norms[k - 1]))\(keys.contains(k) ? ", key frequency" : "")",
        text: keys.contains(k) ? "\(k)" : nil)
    }
    let (marked, others) = (norms.indices.map { $0 + 1 }.filter(keys.contains), norms.indices.map { $0 + 1 })
    return Drawn(
      caption:
        "Norm of each frequency's cosine and sine in \(meaning) (Nanda et al. 2023, figure 3). Look for few frequencies that "
        + "stand out of many that are nearly nothing. Key frequencies, over a quarter of the largest norm in W_L: \(keysInWords). "
        + "The largest norm here is \(NumberText.value(largest)), the largest of another frequency "
        + "\(NumberText.value(rest)).\(logarithms)",
      panels: [
        Panel(
          x: Axis("Frequency k"), y: Axis("Norm"),
          marks: [
            .bars(Bars("key frequencies", marked.map(bar), .series(1))),
            .bars(Bars("other frequencies", others.filter { !keys.contains($0) }.map(bar), .series(0))),
          ])
      ], shape: .height(220),
      table: DataTable(
        columns: ["frequency", "norm", "is_key_frequency"],
        rows: others.map { [.init($0), .init(norms[$0 - 1]), .init(keys.contains($0) ? 1 : 0)] }))
  }

  var spectrumGrowth: Drawn {
    let measured = evaluations.filter { !$0.normsW_E.isEmpty }
    let count = measured.map(\.normsW_E.count).max() ?? 0
    // As many columns as can be told apart on a page, evenly taken; every evaluation is in the table.
    let every = max(1, (measured.count + 399) / 400)
    let shown = measured.indices.filter { $0 % every == 0 }.map { measured[$0] }
    var values: [Double?] = []
    for k in 0..<count {
      values += shown.map { $0.normsW_E.indices.contains(k) ? Double($0.normsW_E[k]) : nil }
    }
    let last = Double(max(shown.count - 1, 1))
    var names: [Double: String] = [:]
    for share in [0, 0.25, 0.5, 0.75, 1.0] where !shown.isEmpty {
      let place = (share * last).rounded()
      names[place] = Wording.grouped(shown[min(Int(place), shown.count - 1)].epoch)
    }
    var cells = Cells(columns: shown.count, rows: count, values: values, valueTitle: "norm in W_E")
    cells.columnNames = shown.map { Wording.grouped($0.epoch) }
    cells.rowNames = (0..<count).map { "\($0 + 1)" }
    let rows = Dictionary(
      uniqueKeysWithValues: result.keyFrequencies.map { (Double($0.frequency - 1), "\($0.frequency)") })
    return Drawn(
      caption:
        "Norm of each frequency in W_E at every evaluation. Look for the key frequencies"
        + (result.keyFrequencies.isEmpty ? "" : " (named at the left: \(keysInWords))")
        + " growing out of the noise, and for the others fading with weight decay.",
      panels: [
        Panel(
          x: Axis("Epoch", names: names),
          y: Axis("Frequency k", names: rows),
          marks: [.cells(cells)])
      ],
      table: DataTable(
        columns: ["epoch"] + (0..<count).map { "norm_w_e_\($0 + 1)" },
        rows: measured.map { evaluation in
          [.init(evaluation.epoch)] + evaluation.normsW_E.map { .init($0) }
        }))
  }

  var neuronClusters: Drawn {
    let neurons = result.finalModel?.neurons ?? []
    let keys = result.keyFrequencies.map(\.frequency)
    let count = max(result.finalModel?.normsW_E.count ?? 0, neurons.map(\.frequency).max() ?? 0)
    var (all, over) = ([Int](repeating: 0, count: count + 1), [Int](repeating: 0, count: count + 1))
    for neuron in neurons where neuron.varianceExplained > 0 {
      all[neuron.frequency] += 1
      if neuron.varianceExplained > 0.85 { over[neuron.frequency] += 1 }
    }
    let clusters = result.keyFrequencies.map {
      "\($0.frequency): \(over.indices.contains($0.frequency) ? over[$0.frequency] : 0)"
    }
    let still = neurons.count { $0.varianceExplained == 0 }
    let used = count == 0 ? [] : (1...count).filter { all[$0] > 0 }
    return Drawn(
      caption:
        "Neurons of the MLP by the frequency that explains most of their variance over all pairs (Nanda et al. 2023, section 4.3: "
        + "433 of 512 over 85 %). Look for clusters at the key frequencies (\(keysInWords)). Here "
        + "\(Wording.count(result.finalModel?.neuronsOver85 ?? 0, "neuron")) of \(neurons.count) are over 85 %"
        + (clusters.isEmpty ? "." : "; of these by key frequency \(clusters.joined(separator: ", ")).")
        + (still == 0 ? "" : " \(Wording.count(still, "neuron")) never changed."),
      panels: [
        Panel(
          x: Axis("Frequency k", including: [1, Double(max(count, 1))]), y: Axis("Neurons"),
          marks: [
            .bars(
              Bars(
                "at most 85 % explained",
                used.map {
                  Bars.Bar(
                    Double($0), Double(all[$0]), title: "k = \($0): \(all[$0]) neurons, \(over[$0]) over 85 %",
                    text: keys.contains($0) ? "\($0)" : nil)
                },
                .series(5))),
            .bars(
              Bars(
                "over 85 % explained",
                used.filter { over[$0] > 0 }.map {
                  Bars.Bar(
                    Double($0), Double(over[$0]), title: "k = \($0): \(over[$0]) of \(all[$0]) neurons over 85 %")
                }, .series(0))),
          ])
      ], shape: .height(220),
      table: DataTable(
        columns: ["frequency", "neurons", "neurons_over_85_percent", "is_key_frequency"],
        rows: used.map { [.init($0), .init(all[$0]), .init(over[$0]), .init(keys.contains($0) ? 1 : 0)] }))
  }

  var ablations: Drawn {
    let hidden = Set(result.keyFrequencies.map(\.frequency)).subtracting(shownKeys.map(\.frequency))
    let ablations = (result.finalModel?.ablations ?? []).filter { !hidden.contains($0.frequency ?? 0) }
    let original = ablations.first { $0.name == .original }?.loss
    let names = ablations.map(RunSubject.words)
    // Bands run upwards, and the original is to stand on top.
    let bars = ablations.enumerated().map { index, ablation in
      let place = ablations.count - 1 - index
      let times =
        original.flatMap { $0 > 0 ? ", \(NumberText.value(ablation.loss / $0)) times the original" : nil } ?? ""
      return Bars.Bar(
        Double(place), ablation.loss, title: "\(names[index]): \(Wording.loss(ablation.loss)) nats\(times)",
        paint: ablation.name == .original ? .series(6) : ablation.name == .withoutFrequency ? .series(1) : .series(0),
        text: NumberText.written(ablation.loss))
    }
    let only = ablations.first { $0.name == .onlyKeyFrequencies }?.loss
    return Drawn(
      caption:
        "Loss over all pairs of the model with one part replaced or removed (Nanda et al. 2023, section 4.4 and figure 6); bars begin at "
        + "the loss of the original. Look for short ones, and those that run to the left: what they leave out was noise. A "
        + "frequency that matters costs much when it is removed. Keeping the key frequencies alone gives \(Wording.loss(only)) against \(Wording.loss(original)) nats of the original.\(hiddenKeysSentence)",
      panels: [
        Panel(
          x: Axis("Loss over all pairs (nats)", .logarithmic), y: Axis("", .bands(names.reversed())),
          marks: [.bars(Bars(nil, bars, base: original ?? 0))],
          references: original.map { [Reference(.vertical, at: $0, "loss of the original")] } ?? [])
      ], shape: .height(Double(max(ablations.count, 2)) * 24),
      table: DataTable(
        columns: ["ablation", "frequency", "loss"],
        rows: ablations.map { [.text($0.name.rawValue), .init($0.frequency), .init($0.loss)] }))
  }

  private static func words(_ ablation: Ablation) -> String {
    switch ablation.name {
    case .original: "original"
    case .neuronPolynomials: "neurons as polynomials"
    case .neuronWaves: "neurons' waves only"
    case .logitBlocks: "logits' key blocks only"
    case .withoutFrequency: "without frequency \(ablation.frequency ?? 0)"
    case .onlyKeyFrequencies: "key frequencies only"
    case .keyDirections: "key directions only"
    case .keyDirectionsComplement: "without key directions"
    case .noSkip: "without the skip connection"
    }
  }
}
