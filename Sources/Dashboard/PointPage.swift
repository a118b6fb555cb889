// The page of one point: with a run, that of the report; without one, its story so far.

import Figures
import Foundation
import Grokking
import Reports
import Results
import Sweeps

/// A point that has a run.
struct FinishedPage {
  private let story: PointStory
  private let store: Store

  init(_ story: PointStory, _ store: Store) {
    self.story = story
    self.store = store
  }

  /// The page, and whether it has all that there will ever be.
  func drawn() throws -> (page: LivePage, isWhole: Bool) {
    var subject = try RunSubject(story.id, in: store)
    try subject.loadWeights(from: store)
    let trail = PointPage.trail(story)
    let report = RunReport(
      subject, story: story, store: store.path, assets: LivePage.assets, above: LivePage.trail(trail))
    let page = LivePage(.settled, title: "Run \(story.id.short)", trail: trail, whole: report.html)
    return (page, subject.hasWeights || subject.result.finalModel == nil)
  }
}

/// A point that has none yet.
struct PointPage {
  private let story: PointStory
  private let curve: UnfinishedCurve?
  private let store: String

  /// - Parameter store: its path, for commands.
  init(_ story: PointStory, curve: UnfinishedCurve?, store: String) {
    self.story = story
    self.curve = curve
    self.store = store
  }

  static func trail(_ story: PointStory) -> [(name: String, path: String)] {
    [LivePage.home] + story.sweeps.prefix(1).map { ($0.sweep, Address.sweep($0.sweep)) }
  }

  private var isRunning: Bool { story.attempts.contains { $0.kind == "open" } }

  var page: LivePage {
    LivePage(
      .live, title: "Point \(story.id.short)", trail: Self.trail(story), lead: lead,
      parts: [facts, curvePart, attempts])
  }

  private var lead: String {
    let settings = story.sweeps.map { $0.setting.isEmpty ? $0.sweep : "\($0.sweep) (\($0.setting))" }
    let of = settings.isEmpty ? "" : " of the sweep \(settings.joined(separator: ", and of "))"
    if story.state == .failed { return "A point\(of), set aside: \(story.failure ?? "no reason was recorded")." }
    return "A point\(of), \(isRunning ? "running" : "waiting for its turn")."
  }

  private var facts: LivePage.Part {
    let experiment = story.experiment
    var facts: [(name: String, value: String)] = [
      ("operation", experiment.task.operation.rawValue), ("modulus", "\(experiment.task.modulus)"),
      ("train fraction", Wording.plain(experiment.task.trainFraction)),
      ("weight decay", Wording.plain(experiment.training.weightDecay)),
      ("learning rate", NumberText.value(experiment.training.learningRate)),
      ("epochs", Wording.grouped(experiment.training.epochs)), ("model seed", "\(experiment.modelSeed)"),
      ("data seed", "\(experiment.dataSeed)"), ("d_model", "\(experiment.model.dModel)"),
      ("heads", "\(experiment.model.heads)"), ("d_mlp", "\(experiment.model.dMLP)"),
    ]
    if let open = story.attempts.last(where: { $0.kind == "open" }) {
      facts.append(("runs on", open.host))
      facts.append(("epoch noted last", Wording.epoch(open.epoch)))
    }
    var markup = HTMLPage.facts(facts)
    let explain = Cell.command(["groksweep", "explain", story.id.short, "--store", store])
    markup += "<p>Why it stands where it stands: \(explain)</p>"
    if story.state == .failed {
      markup +=
        "<p>Once the cause is mended: \(Cell.command(["groksweep", "retry", story.id.short, "--store", store]))</p>"
    }
    return LivePage.Part(name: "point", heading: "The point", markup: markup)
  }

  private var curvePart: LivePage.Part {
    guard let curve, curve.places.count > 1 else {
      return LivePage.Part(
        name: "curve", heading: "So far",
        markup: Cell.paragraph(
          "No curve yet: it comes with the run's checkpoints, the first half a minute after its start, where these are kept on "
            + "this machine; all of it is stored with the result."))
    }
    func line(_ name: String, _ value: KeyPath<UnfinishedCurve.Place, Double>, _ series: Int) -> Mark {
      .line(Line(name, curve.places.map { Line.Point(Double($0.epoch), $0[keyPath: value]) }, .series(series)))
    }
    let said =
      "as far as its last checkpoint, at epoch \(Wording.grouped(curve.epoch)) of \(Wording.grouped(curve.lastEpoch))"
    let table = DataTable(
      columns: ["epoch", "train_loss", "test_loss", "train_accuracy", "test_accuracy"],
      rows: curve.places.map {
        [
          .init($0.epoch), .init($0.trainLoss), .init($0.testLoss), .init($0.trainAccuracy), .init($0.testAccuracy),
        ]
      })
    let losses = Figure(
      name: "losses", title: "Losses", caption: "Train and test loss, \(said).",
      panels: [
        Panel(
          x: Axis("Epoch"), y: Axis("Loss (nats)", .logarithmic),
          marks: [line("train", \.trainLoss, 0), line("test", \.testLoss, 1)])
      ], table: table)
    let accuracies = Figure(
      name: "accuracies", title: "Accuracies", caption: "Train and test accuracy, \(said).",
      panels: [
        Panel(
          x: Axis("Epoch"), y: Axis("Accuracy", including: [0, 1]),
          marks: [line("train", \.trainAccuracy, 0), line("test", \.testAccuracy, 1)])
      ], table: table)
    return LivePage.Part(
      name: "curve", heading: "So far",
      markup: [losses, accuracies].map { FigureBlock($0, data: .none).html }.joined(separator: "\n"))
  }

  private var attempts: LivePage.Part {
    guard !story.attempts.isEmpty else {
      return LivePage.Part(name: "attempts", heading: "Attempts", markup: Cell.paragraph("Nobody has had it yet."))
    }
    var table = MarkupTable([
      ("Lease", .right), ("Machine", .left), ("What", .left), ("Reason", .left), ("Epoch", .right), ("Started", .left),
      ("Ended", .left),
    ])
    for attempt in story.attempts {
      table.append([
        "\(attempt.lease.number)", Cell.text(attempt.host), Cell.text(attempt.kind.replacing("_", with: " ")),
        "<span class=\"reason\">\(Cell.text(attempt.reason ?? "–"))</span>", Cell.number(attempt.epoch),
        Cell.time(attempt.started), attempt.ended.map(Cell.time) ?? "–",
      ])
    }
    return LivePage.Part(name: "attempts", heading: "Attempts", markup: table.html)
  }
}
