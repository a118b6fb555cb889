// Figures that need the final weights: where tokens, attention, neurons and logits show the waves (Nanda et al. 2023,
// figures 4 and 5).

import Figures
import Grokking

extension RunSubject {
  /// - Precondition: the weights are known; a figure is asked for only then.
  private var maps: ModelMaps {
    guard case .known(let maps) = weights else { preconditionFailure("no weights of point \(point)") }
    return maps
  }

  /// `a` and `b`; for products their discrete logarithms.
  private func operand(_ name: String) -> Axis { Axis(circle.isLogarithmic ? "log \(name)" : name) }

  private func rows(_ values: [(name: String, values: [Float])]) -> DataTable {
    let (maps, n) = (maps, maps.length)
    return DataTable(
      columns: ["a", "b"] + values.map(\.name),
      rows: (0..<n * n).map { entry in
        [.init(maps.residues[entry / n]), .init(maps.residues[entry % n])]
          + values.map { .init(rounded: $0.values[entry]) }
      })
  }

  /// A grid with the first operand upwards and the second to the right.
  private func panel(_ title: String, _ values: [Float], _ valueTitle: String, _ limits: ClosedRange<Double>? = nil)
    -> Panel
  {
    Panel(
      title: title, x: operand("b"), y: operand("a"),
      marks: [
        .cells(
          Cells(
            columns: maps.length, rows: maps.length, values: values.map { Double($0) }, valueTitle: valueTitle,
            limits: limits))
      ])
  }

  var attention: Drawn {
    let heads = result.finalModel?.heads ?? []
    let shown = Array(maps.attention.prefix(8))
    let words = heads.prefix(shown.count).enumerated().map { head, measures in
      "head \(head): frequency \(measures.frequency) explains \(Wording.percent(measures.varianceExplained))"
    }
    return Drawn(
      caption:
        "How much each head attends from = to a rather than to b and =, over all pairs. Look for stripes: attention is a wave of the "
        + "operands, so that heads multiply waves. Share of the variance by one frequency: \(words.joined(separator: ", "))."
        + (maps.attention.count > shown.count
          ? " Only the first \(shown.count) of \(maps.attention.count) heads are shown." : ""),
      panels: shown.enumerated().map { panel("Head \($0)", $1, "attention to a") }, columns: 2, shape: .square,
      table: rows(shown.enumerated().map { ("head_\($0)", $1) }))
  }

  /// `Neuron 270, k = 6 (98 %)`: the frequency that explains it best, and how much of it.
  private func title(ofNeuron number: Int) -> String {
    guard let fits = result.finalModel?.neurons, fits.indices.contains(number) else { return "Neuron \(number)" }
    return "Neuron \(number), k = \(fits[number].frequency) (\(Wording.percent(fits[number].varianceExplained)))"
  }

  var neurons: Drawn {
    let panels = maps.neurons.map { panel(title(ofNeuron: $0.number), $0.activations, "activation") }
    return Drawn(
      caption:
        "Activations of some neurons over all pairs: for each key frequency that explains any neuron best, the one that it explains "
        + "best of all, with the share of its variance (Nanda et al. 2023, figure 5). Look for waves along a, along b, and along "
        + "their sum.\(keysWithoutNeuronSentence)",
      panels: panels, columns: 2, sharing: [.x, .y], shape: .square,
      table: rows(maps.neurons.map { ("neuron_\($0.number)", $0.activations) }))
  }

  /// Key frequencies that are not among the panels.
  private var keysWithoutNeuronSentence: String {
    let fits = result.finalModel?.neurons ?? []
    let shown = Set(maps.neurons.compactMap { fits.indices.contains($0.number) ? fits[$0.number].frequency : nil })
    let others = result.keyFrequencies.map(\.frequency).filter { !shown.contains($0) }
    guard !others.isEmpty else { return "" }
    return " No neuron is shown of k = \(others.map(String.init).joined(separator: ", "))."
  }

  var neuronSpectra: Drawn {
    let keys = result.keyFrequencies.map(\.frequency)
    let panels = maps.neurons.map { neuron in
      Panel(
        title: title(ofNeuron: neuron.number), x: Axis("Frequency k"), y: Axis("Share of variance", including: [0, 1]),
        marks: [
          .bars(
            Bars(
              nil,
              neuron.shares.enumerated().map { index, share in
                Bars.Bar(
                  Double(index + 1), share, title: "k = \(index + 1): \(Wording.percent(share))",
                  paint: keys.contains(index + 1) ? .series(1) : .series(0))
              }))
        ])
    }
    let count = maps.neurons.first?.shares.count ?? 0
    return Drawn(
      caption:
        "Share of each of these neurons' variance that the constant, cosine and sine of one frequency in a and in b explain "
        + "together. Look for a single bar at a key frequency (in orange): such a neuron computes with one frequency alone.",
      panels: panels, columns: 2, shape: .height(120),
      table: DataTable(
        columns: ["frequency"] + maps.neurons.map { "neuron_\($0.number)" },
        rows: (0..<count).map { k in [.init(k + 1)] + maps.neurons.map { .init($0.shares[k]) } }))
  }

  var embeddingCircles: Drawn {
    let (maps, n) = (maps, maps.length)
    let reach = maps.circles.flatMap { $0.x + $0.y }.map(abs).max() ?? 1
    let shares = maps.circles.map { "\($0.frequency): \(Wording.percent($0.share))" }
    let panels = maps.circles.map { circle in
      // In the order in which one goes around: neighbours are 1/k apart.
      let order = (0..<n).sorted { (circle.frequency * $0 % n, $0) < (circle.frequency * $1 % n, $1) }
      let ring = (order + order.prefix(1)).map { Line.Point(circle.x[$0], circle.y[$0]) }
      let dots = (0..<n).map { place in
        Scatter.Dot(
          circle.x[place], circle.y[place], title: "token \(maps.residues[place])",
          // As many names as stand apart around the circle.
          text: circle.frequency * place % n % max(1, n / 22) == 0 ? "\(maps.residues[place])" : nil)
      }
      let extent = -reach * 1.08...reach * 1.08
      return Panel(
        title: "k = \(circle.frequency)", x: Axis("along the cosine", limits: extent),
        y: Axis("along the sine", limits: extent),
        marks: [.line(Line(nil, ring, .muted, width: 0.5)), .scatter(Scatter(nil, dots, radius: 2))])
    }
    return Drawn(
      caption:
        "Where W_E puts the tokens in the plane of each key frequency's cosine and sine. Look for a circle on which token x stands at "
        + "the angle 2πk\(circle.isLogarithmic ? "·log x" : "x")/n. Share of W_E's norm about its mean in that plane's waves: \(shares.joined(separator: ", "))."
        + hiddenKeysSentence,
      panels: panels, columns: panels.count > 4 ? 3 : 2, shape: .square,
      table: DataTable(
        columns: ["frequency", "token", "along_cosine", "along_sine"],
        rows: maps.circles.flatMap { circle in
          (0..<n).map {
            [.init(circle.frequency), .init(maps.residues[$0]), .init(Float(circle.x[$0])), .init(Float(circle.y[$0]))]
          }
        }))
  }

  var logitSpectrum: Drawn {
    let (maps, n) = (maps, maps.length)
    let keys = result.keyFrequencies.map(\.frequency)
    let total = maps.logitNorms.dropFirst().reduce(0) { $0 + $1 * $1 }
    let inKeys = (0..<n * n).reduce(0.0) { sum, entry in
      let (first, second) = (entry / n, entry % n)
      let (k, l) = ((first + 1) / 2, (second + 1) / 2)
      let isKey = entry > 0 && keys.contains(k) && k == l && first > 0 && second > 0
      return isKey ? sum + maps.logitNorms[entry] * maps.logitNorms[entry] : sum
    }
    // Between a frequency's cosine and its sine.
    var names: [Double: String] = [0: "const"]
    for k in keys { names[Double(2 * k) - 0.5] = "\(k)" }
    var values = maps.logitNorms.map { Optional($0) }
    // The constant would outshine everything, and says only which classes are likely.
    values[0] = nil
    func row(_ index: Int) -> String {
      index == 0
        ? "const"
        : n % 2 == 0 && index == n - 1 ? "alternating" : index % 2 == 1 ? "cos \((index + 1) / 2)" : "sin \(index / 2)"
    }
    var cells = Cells(columns: n, rows: n, values: values, valueTitle: "norm over the classes")
    cells.columnNames = (0..<n).map(row)
    cells.rowNames = cells.columnNames
    return Drawn(
      caption:
        "Norm over \(maps.logitClasses == n ? "all" : "\(maps.logitClasses) of the \(n)") classes of the logits' coefficient at each product of a basis wave in a and one in b "
        + "(Nanda et al. 2023, figure 4); the constant is left out. Look for bright spots on the diagonal: products of cosines and sines of the same "
        + "key frequency (\(keysInWords)), which hold \(total > 0 ? Wording.share(inKeys / total) : "–") of all that is not constant.",
      panels: [
        Panel(
          x: Axis("wave in b (frequency k)", names: names), y: Axis("wave in a (frequency k)", names: names),
          marks: [.cells(cells)])
      ], shape: .square,
      table: DataTable(
        columns: ["wave_in_a", "wave_in_b", "norm"],
        rows: (0..<n * n).map { [.text(row($0 / n)), .text(row($0 % n)), .init(rounded: Float(maps.logitNorms[$0]))] }))
  }
}
