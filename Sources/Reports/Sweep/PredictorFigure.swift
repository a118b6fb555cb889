// What is measured early in a run against when it grokked, with the correlations of the view `predictors`.

import Figures
import Foundation
import Results
import Sweeps

extension SweepSubject {
  private static let mostMeasures = 6
  private static let mostDots = 1000

  /// At the landmark memorization, those with the strongest correlation first.
  private var shownPredictors: [Predictor] {
    let known = predictors.filter {
      $0.landmark == "memorization" && !$0.isHindsight && $0.spearman != nil && EarlyMeasures.names.contains($0.measure)
    }
    return Array(
      known.enumerated().sorted { a, b in
        (-abs(a.element.spearman ?? 0), a.offset) < (-abs(b.element.spearman ?? 0), b.offset)
      }.map(\.element).prefix(Self.mostMeasures))
  }

  var earlyAgainstGrokking: Drawn {
    let shown = shownPredictors
    let dots = Self.evenly(early.count, Self.mostDots).map { early[$0] }
    let epochs = early.compactMap { $0.grokkingEpoch ?? $0.censoredAfter }
    let isLogarithmic = AxisLevels.isByRatio(Double(epochs.min() ?? 1), Double(epochs.max() ?? 1))
    let panels = shown.map { predictor in
      let column = EarlyMeasures.names.firstIndex(of: predictor.measure)!
      let values = dots.compactMap { $0.values[column] }
      let isByRatio =
        predictor.measure.hasSuffix("loss") || predictor.measure.hasSuffix("epoch")
        ? AxisLevels.isByRatio(values.min() ?? 0, values.max() ?? 0) : false
      func scatter(_ label: String, _ grokked: Bool) -> Mark {
        .scatter(
          Scatter(
            early.contains { ($0.grokkingEpoch != nil) == grokked } ? label : nil,
            dots.filter { ($0.grokkingEpoch != nil) == grokked }.compactMap { run in
              guard let epoch = run.grokkingEpoch ?? run.censoredAfter, let value = run.values[column] else {
                return nil
              }
              return Scatter.Dot(
                Double(epoch), value,
                title: "\(run.point.short), \(name(ofSetting: run.setting)): \(NumberText.value(value)), "
                  + (grokked ? "grokked at \(Wording.grouped(epoch))" : "not grokked by \(Wording.grouped(epoch))"),
                shape: grokked ? .dot : .arrow)
            }, .series(grokked ? 0 : 1), radius: 2.5))
      }
      return Panel(
        // Narrow panels cut titles at their ends.
        title: "ρ = \(Self.signed(predictor.spearman))  \(predictor.measure)",
        x: Axis("Grokking epoch", isLogarithmic ? .logarithmic : .linear),
        y: Axis("", isByRatio ? .logarithmic : .linear),
        marks: [scatter("grokked", true), scatter("not grokked when it ended", false)])
    }
    return Drawn(
      caption: predictorCaption(shown), panels: panels, columns: 2, sharing: [.x], shape: .height(130),
      table: DataTable(
        columns: [
          "measure", "landmark", "runs", "censored", "left_out", "spearman", "spearman_within_settings", "hindsight",
        ],
        rows: predictors.map { predictor in
          [
            .text(predictor.measure), .text(predictor.landmark), .init(predictor.runs), .init(predictor.censored),
            .init(predictor.leftOut), .init(predictor.spearman), .init(predictor.spearmanWithinSettings),
            .text(predictor.isHindsight ? "yes" : "no"),
          ]
        }))
  }

  private func predictorCaption(_ shown: [Predictor]) -> String {
    var text =
      "What the first evaluation at or after memorization measured in each run, against the epoch at which it grokked; arrows are runs "
      + "that had not grokked when they ended, somewhere to the right. ρ is Spearman's rank correlation over all runs. Look for clouds "
      + "that rise or fall: such a measure foretells grokking. Much of it is the settings' doing; within settings, "
    let within = shown.filter { $0.spearmanWithinSettings != nil }
    text +=
      within.isEmpty
      ? "nothing can be said of so few runs."
      : "ρ is "
        + within.map { "\(Self.signed($0.spearmanWithinSettings)) for \($0.measure)" }.joined(separator: ", ") + "."
    if let first = shown.first {
      text += " \(Wording.count(first.runs, "run")) in all, \(first.censored) of them censored"
      text += first.leftOut > 0 ? ", \(first.leftOut) left out as their place is not known." : "."
    }
    return text + " The table has later landmarks, and measures that need hindsight."
  }

  static func signed(_ value: Double?) -> String {
    guard let value else { return "–" }
    return value < 0 ? "−\(Wording.fixed(-value, digits: 2))" : Wording.fixed(value, digits: 2)
  }

  /// Why there is no such figure; nil when there is.
  var predictorsAbsence: String? {
    if let reason = runsAbsence { return reason }
    if !runs.contains(where: { $0.grokkingEpoch != nil }) {
      return "No run of this sweep has grokked, so there is nothing to foretell."
    }
    return shownPredictors.isEmpty
      ? "A correlation takes three runs at least that memorized before they grokked, and values that differ; there are not as many yet."
      : nil
  }
}
