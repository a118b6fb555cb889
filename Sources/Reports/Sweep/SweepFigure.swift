// The figures of a sweep: the one list of them, from which the report, `groksweep plot` and the dashboard take names, order
// and drawings. What a sweep does not have is a figure with a sentence, never an empty picture.

import Figures
import Results

/// Raw values are promises to users.
package enum SweepFigure: String, CaseIterable, Sendable {
  case phaseDiagram = "phase-diagram"
  case criticalValues = "critical-values"
  case survival
  case outcomes
  case testLosses = "test-losses"
  case predictors
  case seedSpread = "seed-spread"
  case machines

  package var title: String {
    switch self {
    case .phaseDiagram: "When runs grok"
    case .criticalValues: "Critical values"
    case .survival: "Share of runs that have not grokked yet"
    case .outcomes: "Outcomes by setting"
    case .testLosses: "Test losses"
    case .predictors: "Early measures and the grokking epoch"
    case .seedSpread: "Spread by model seed and data seed"
    case .machines: "Cost and machines"
    }
  }

  package func figure(of sweep: SweepSubject) -> Figure {
    if let reason = absence(of: sweep) { return Figure(name: rawValue, title: title, absence: reason) }
    let drawn: Drawn =
      switch self {
      case .phaseDiagram: sweep.phaseDiagram
      case .criticalValues: sweep.criticalValues
      case .survival: sweep.survival
      case .outcomes: sweep.outcomeCounts
      case .testLosses: sweep.testLosses
      case .predictors: sweep.earlyAgainstGrokking
      case .seedSpread: sweep.seedSpread
      case .machines: sweep.machineShares
      }
    return Figure(
      name: rawValue, title: title, caption: drawn.caption, panels: drawn.panels, columns: drawn.columns,
      sharing: drawn.sharing, shape: drawn.shape, table: drawn.table)
  }

  /// Why this sweep has no such figure; nil when it has.
  private func absence(of sweep: SweepSubject) -> String? {
    switch self {
    case .phaseDiagram: sweep.phaseDiagramAbsence
    case .criticalValues: sweep.criticalAbsence
    case .survival, .outcomes, .machines: sweep.runsAbsence
    case .testLosses: sweep.testLossesAbsence
    case .predictors: sweep.predictorsAbsence
    case .seedSpread: sweep.spreadAbsence
    }
  }
}

extension SweepSubject {
  /// Settings and runs, and what `figures` need besides.
  ///
  /// - Throws: `StoreError`; of kind `unknown` for a sweep that is not in the store.
  package init(_ sweep: String, in store: Store, for figures: [SweepFigure] = SweepFigure.allCases) throws {
    self.init(
      settings: try store.sweepSettings(of: sweep), runs: try store.settledRuns(of: sweep),
      progress: try store.sweepProgress(of: sweep))
    guard !runs.isEmpty else { return }
    if figures.contains(.testLosses) { curves = try store.lossCurves(of: pointsOfCurves) }
    if figures.contains(.predictors) {
      early = try store.earlyMeasures(of: sweep)
      predictors = try store.predictors(of: sweep)
    }
    if figures.contains(.seedSpread) { spreads = try store.grokkingSpreads(of: sweep) }
    if figures.contains(.machines) { origin = try store.origin(of: sweep) }
    if figures.contains(.criticalValues), settings.isSearch { critical = try store.criticalIntervals(of: sweep) }
  }
}
