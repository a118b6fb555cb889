// The page of a sweep: what it was, its figures, its runs, and where they come from.

import Figures
import Foundation
import Grokking
import Results

package struct SweepReport: Sendable {
  /// Rows of the table of runs; what is beyond is exported, not read on a page.
  private static let mostRuns = 1000
  private static let mostFailures = 50

  private let sweep: SweepSubject
  private let runs: [RunSummary]
  private let failures: [FailedPoint]
  private let assets: HTMLPage.Assets
  /// `groksweep plot … --store … --sweep …`, of a figure's name: how data are to be had that are too long for the page.
  private let command: @Sendable (String) -> String

  /// - Parameters:
  ///   - sweep: with what all figures need.
  ///   - runs: the same sweep's, with what was measured at their ends.
  ///   - command: that writes the data of the figure that is named.
  package init(
    _ sweep: SweepSubject, runs: [RunSummary], failures: [FailedPoint], assets: HTMLPage.Assets = .inside,
    command: @escaping @Sendable (String) -> String
  ) {
    self.sweep = sweep
    self.runs = runs
    self.failures = failures
    self.assets = assets
    self.command = command
  }

  package var html: String {
    var sections = [HTMLPage.Section("sweep", "The sweep", [HTMLPage.facts(facts)])]
    for section in SweepFigure.Section.allCases {
      let figures = SweepFigure.allCases.filter { $0.section == section && $0.belongs(to: sweep) }
      sections.append(HTMLPage.Section(section.rawValue, section.heading, figures.map(block)))
    }
    sections.append(HTMLPage.Section("runs", "Runs", runTable))
    sections.append(HTMLPage.Section("provenance", "Provenance", provenance))
    return HTMLPage(title: "Sweep \(sweep.settings.sweep)", lead: lead, sections: sections, footer: footer).html(assets)
  }

  private func block(_ figure: SweepFigure) -> String {
    FigureBlock(figure.figure(of: sweep), data: .inside(otherwise: command(figure.rawValue))).html
  }

  private var lead: String {
    let (keys, example) = (sweep.settings.keys, sweep.settings.example)
    let axes = keys.map { key in
      let axis = AxisLevels(key, limit: 8)
      return axis.isBinned || axis.count > 8
        ? "\(axis.title) (\(axis.labels.first ?? "") … \(axis.labels.last ?? ""))"
        : "\(axis.title) (\(axis.labels.joined(separator: ", ")))"
    }
    let swept = axes.isEmpty ? "Seeds alone" : axes.joined(separator: " × ")
    let count = Wording.count(sweep.settings.settings.count, "setting")
    func has(_ name: String) -> Bool {
      keys.contains { $0.name == name || $0.alongside.contains { $0.hasSuffix(name) } }
    }
    let task =
      has("operation") || has("modulus")
      ? "" : " The task is \(example.task.operation.rawValue) modulo \(example.task.modulus)."
    let progress = sweep.progress
    return HTMLPage.paragraph(
      "\(swept): \(count), \(Wording.count(progress.total, "point"))\(progress.isRefining ? " so far" : "").\(task)"
        + " \(outcomeSentence)\(sweep.unfinishedSentence)")
  }

  private var outcomeSentence: String {
    guard !sweep.runs.isEmpty else { return sweep.runsAbsence ?? "" }
    let grokked = sweep.runs.count { $0.grokkingEpoch != nil }
    var text = "\(grokked) of \(Wording.count(sweep.runs.count, "finished run")) grokked"
    let epochs = sweep.runs.compactMap(\.grokkingEpoch)
    if let first = epochs.min(), let last = epochs.max() {
      text += " (epochs \(Wording.grouped(first)) to \(Wording.grouped(last)))"
    }
    return text + "."
  }

  private var facts: [(name: String, value: String)] {
    let (progress, example) = (sweep.progress, sweep.settings.example)
    let seconds = sweep.runs.reduce(0) { $0 + $1.seconds }
    let facts: [(name: String, value: String)] = [
      ("points", Wording.grouped(progress.total)), ("finished", Wording.grouped(progress.finished)),
      ("failed", Wording.grouped(progress.failed)), ("state", progress.state.rawValue),
      ("grokked", Wording.grouped(sweep.runs.count { $0.grokkingEpoch != nil })),
      ("censored", Wording.grouped(sweep.runs.count { $0.grokkingEpoch == nil })),
      ("diverged", Wording.grouped(sweep.runs.count { $0.outcome == "diverged" })),
      ("trained for", SweepSubject.coreHours(seconds)),
      ("epochs trained", Wording.grouped(sweep.runs.reduce(0) { $0 + $1.epochs })),
    ]
    let names = sweep.settings.keys.flatMap {
      [$0.name] + $0.alongside.map { $0.split(separator: ".").last.map(String.init) ?? $0 }
    }
    let fixed: [(name: String, value: String)] = [
      ("operation", example.task.operation.rawValue), ("modulus", "\(example.task.modulus)"),
      ("train_fraction", Wording.plain(example.task.trainFraction)), ("d_model", "\(example.model.dModel)"),
      ("heads", "\(example.model.heads)"), ("d_mlp", "\(example.model.dMLP)"),
      ("optimizer", example.training.optimizer.rawValue),
      ("learning_rate", NumberText.value(example.training.learningRate)),
      ("weight_decay", Wording.plain(example.training.weightDecay)),
      ("epochs", Wording.grouped(example.training.epochs)),
      ("evaluate_every", Wording.grouped(example.measure.evaluateEvery)),
    ]
    return facts + fixed.filter { !names.contains($0.name) }
  }

  private var runTable: [String] {
    guard !runs.isEmpty || !failures.isEmpty else { return [HTMLPage.paragraph(sweep.runsAbsence ?? "")] }
    var markup: [String] = []
    if !runs.isEmpty {
      let rows = runs.prefix(Self.mostRuns).map { run -> [DataTable.Value] in
        [
          .text(run.point.short), .text(run.setting), .init(Double(run.experiment.modelSeed)),
          .init(Double(run.experiment.dataSeed)), .text(run.outcome), .init(run.memorizationEpoch),
          .init(run.grokkingEpoch), .init(run.epochs), .init(run.final?.testLoss), .init(run.final?.testAccuracy),
          .init(run.keyFrequencyCount), .init(run.seconds.rounded()),
        ]
      }
      markup = [
        HTMLPage.table(
          DataTable(
            columns: [
              "point", "setting", "model_seed", "data_seed", "outcome", "memorized", "grokked", "epochs", "test_loss",
              "test_accuracy", "key_frequencies", "seconds",
            ], rows: Array(rows)))
      ]
      if runs.count > Self.mostRuns {
        markup.append(
          HTMLPage.paragraph(
            "The first \(Wording.grouped(Self.mostRuns)) of \(Wording.grouped(runs.count)) runs; `groksweep export runs` writes all."
          ))
      }
    }
    if !failures.isEmpty {
      markup.append("<h3>\(Markup.escaped("Failed points"))</h3>")
      markup.append(
        HTMLPage.table(
          DataTable(
            columns: ["point", "reason"],
            rows: failures.prefix(Self.mostFailures).map { [.text($0.id.short), .text($0.reason)] })))
      let more = failures.count > Self.mostFailures ? " (the first \(Self.mostFailures) of \(failures.count))" : ""
      markup.append(
        HTMLPage.paragraph(
          "Points that were set aside\(more). `groksweep explain POINT` tells more, `groksweep retry` runs them again.")
      )
    }
    return markup
  }

  private var provenance: [String] {
    guard let origin = sweep.origin else { return [HTMLPage.paragraph(sweep.runsAbsence ?? "")] }
    var facts: [(name: String, value: String)] = [("registered", origin.registered)]
    if let first = origin.firstStored { facts.append(("first result", first)) }
    if let last = origin.lastStored { facts.append(("last result", last)) }
    facts += [
      ("verified: same digest", Wording.grouped(origin.verifiedEqual)),
      ("verified: other digest", Wording.grouped(origin.verifiedDifferent)),
      ("violations", Wording.grouped(origin.violations)),
    ]
    let versions = DataTable(
      columns: ["groksweep", "engine_semantics", "measures", "kernels", "runs"],
      rows: origin.versions.map {
        [
          .text($0.build), .init($0.semanticsVersion), .init($0.measureVersion), .text($0.kernelPath), .init($0.runs),
        ]
      })
    return [
      HTMLPage.facts(facts), HTMLPage.paragraph(digestSentence(origin)), "<h3>Computed with</h3>",
      HTMLPage.table(versions),
      "<details><summary>The sweep file</summary><pre class=\"table\">\(Markup.escaped(origin.fileText))</pre></details>",
    ]
  }

  private func digestSentence(_ origin: SweepOrigin) -> String {
    let again = origin.verifiedEqual + origin.verifiedDifferent
    var text =
      "Every run has a digest of its weights along the way; runs of one engine semantics have the same bits on all kernels."
    let semantics = SweepSubject.listed(origin.versions.map { String($0.semanticsVersion) }) ?? "–"
    text += " Engine semantics here: \(semantics)."
    text +=
      again == 0
      ? " No run was computed a second time; `groksweep verify` does that."
      : " \(Wording.count(again, "run")) \(again == 1 ? "was" : "were") computed a second time: \(origin.verifiedEqual) with the same digest."
    return text
      + (origin.violations == 0
        ? " No result disagreed with another."
        : " \(Wording.count(origin.violations, "result")) disagreed with what is stored: see the view violations.")
  }

  private var footer: String {
    let builds = sweep.origin.flatMap { SweepSubject.listed($0.versions.map(\.build)) }
    return
      "Sweep \(sweep.settings.sweep)\(builds.map { ", computed with groksweep \($0)" } ?? ""). Paper: Nanda, Chan, Lieberum, Smith, "
      + "Steinhardt, Progress measures for grokking via mechanistic interpretability, ICLR 2023."
  }
}

extension SweepFigure {
  /// The parts of a sweep's page.
  package enum Section: String, CaseIterable, Sendable {
    case grokking, curves, causes, cost

    package var heading: String {
      switch self {
      case .grokking: "When runs grok"
      case .curves: "How runs go"
      case .causes: "What foretells it, and what is chance"
      case .cost: "What it took"
      }
    }
  }

  package var section: Section {
    switch self {
    case .phaseDiagram, .criticalValues, .survival: .grokking
    case .outcomes, .testLosses: .curves
    case .predictors, .seedSpread: .causes
    case .machines: .cost
    }
  }

  /// Whether the page of `sweep` has a place for it.
  package func belongs(to sweep: SweepSubject) -> Bool { self != .criticalValues || sweep.settings.isSearch }
}
