// How far the grokking epochs of one setting lie apart, and how much of that is the start weights' doing and how much that
// of the choice of train pairs.

import Figures
import Foundation
import Results

extension SweepSubject {
  private static let mostSettings = 24

  private var knownSpreads: [(setting: Int, spread: GrokkingSpread)] {
    spreads.enumerated().filter { $1.sd != nil }.map { ($0, $1) }
  }

  var seedSpread: Drawn {
    let known = knownSpreads
    let shown = Self.evenly(known.count, Self.mostSettings).map { known[$0] }
    // Bands run upwards; the first setting stands on top.
    let rows = Array(shown.reversed())
    func scatter(
      _ label: String, _ value: (GrokkingSpread) -> Double?, _ colour: Int, _ shape: Scatter.Shape
    ) -> Mark {
      .scatter(
        Scatter(
          label,
          rows.enumerated().compactMap { row, entry in
            value(entry.spread).map {
              Scatter.Dot(
                $0, Double(row),
                title: "\(name(ofSetting: entry.setting)): \(label), a factor of \(Self.factor($0))", shape: shape)
            }
          }, .series(colour), radius: 4))
    }
    return Drawn(
      caption: spreadCaption(known.map(\.spread), shown.count),
      panels: [
        Panel(
          x: Axis("Standard deviation of log₁₀(grokking epoch)", including: [0]),
          y: Axis("", .bands(rows.map { name(ofSetting: $0.setting) })),
          marks: [
            scatter("all seeds", \.sd, 6, .ring), scatter("model seed (one data seed)", \.sdOfModelSeed, 0, .dot),
            scatter("data seed (one model seed)", \.sdOfDataSeed, 1, .dot),
          ])
      ], shape: .height(max(Double(rows.count) * 20, 60)),
      table: DataTable(
        columns: ["setting", "grokked", "log10_sd", "log10_sd_of_model_seed", "log10_sd_of_data_seed"],
        rows: spreads.map {
          [.text($0.setting), .init($0.grokked), .init($0.sd), .init($0.sdOfModelSeed), .init($0.sdOfDataSeed)]
        }))
  }

  private func spreadCaption(_ known: [GrokkingSpread], _ shown: Int) -> String {
    var text =
      "How far the grokking epochs of one setting's runs lie apart, in powers of ten: 0.3 is a factor of two. Runs that did not grok "
      + "are not in it, so the true spread is larger where there are any."
    func median(_ values: [Double]) -> Double? {
      values.isEmpty ? nil : values.sorted()[(values.count - 1) / 2]
    }
    if let all = median(known.compactMap(\.sd)) {
      text += " Median over settings: \(Wording.fixed(all, digits: 2)), a factor of \(Self.factor(all))"
    }
    let (ofModel, ofData) = (median(known.compactMap(\.sdOfModelSeed)), median(known.compactMap(\.sdOfDataSeed)))
    switch (ofModel, ofData) {
    case (let model?, let data?):
      text +=
        "; by model seed alone \(Wording.fixed(model, digits: 2)), by data seed alone \(Wording.fixed(data, digits: 2)). Look for "
        + "which of them stands further right: start weights, or the choice of train pairs."
    case (let model?, nil):
      text += "; by model seed alone \(Wording.fixed(model, digits: 2)). Data seeds do not vary by themselves here."
    case (nil, let data?):
      text += "; by data seed alone \(Wording.fixed(data, digits: 2)). Model seeds do not vary by themselves here."
    case (nil, nil):
      text +=
        ". Model seed and data seed change together here; sweep them as two axes, model_seed and data_seed, to tell them apart."
    }
    if shown < known.count { text += " Shown are \(shown) of \(known.count) settings; the table has all." }
    return text
  }

  private static func factor(_ log10: Double) -> String { Wording.fixed(pow(10, log10), digits: 2) }

  /// Why there is no such figure; nil when there is.
  var spreadAbsence: String? {
    runsAbsence
      ?? (knownSpreads.isEmpty
        ? "No setting has two runs that grokked, so there is no spread to measure; more seeds would show it." : nil)
  }
}
