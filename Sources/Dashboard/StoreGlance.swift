// What several pages show of a store at one moment, each as a part of a page: sweeps, machines, running points, failures.
// Reads little: nothing here takes longer when the store has more points.

import Figures
import Foundation
import Grokking
import Reports
import Results
import Sweeps

struct StoreGlance {
  /// Running points whose curves are drawn; the others have rows only.
  private static let drawnCurves = 12
  private static let listed = 12

  let store: Store
  let standing: CoordinatorStatus
  /// The curve so far of a point, where its checkpoint can be read here.
  let curve: (PointID) -> UnfinishedCurve?
  let now: Date

  init(_ store: Store, at now: Date, curve: @escaping (PointID) -> UnfinishedCurve?) throws {
    self.store = store
    self.curve = curve
    self.now = now
    standing = try store.standing(at: now, failures: Self.listed)
  }

  /// The points that run now, with their workers.
  var running: [(point: PointID, worker: WorkerStatus)] {
    standing.workers.compactMap { worker in worker.point.map { ($0, worker) } }
  }

  var facts: LivePage.Part {
    var facts: [(name: String, value: String)] = []
    if let holder = standing.coordinator {
      facts.append(("coordinator", "process \(holder.processID) on \(holder.host)"))
    } else {
      facts.append(("coordinator", "none: nothing runs"))
    }
    let points = standing.sweeps.reduce(0) { $0 + $1.total }
    let done = standing.sweeps.reduce(0) { $0 + $1.finished }
    facts.append(("finished", "\(Wording.grouped(done)) of \(Wording.grouped(points)) points"))
    facts.append(("running", "\(running.count)"))
    facts.append(("set aside", "\(standing.sweeps.reduce(0) { $0 + $1.failed })"))
    var markup = HTMLPage.facts(facts)
    if standing.violations > 0 {
      let count = Wording.count(standing.violations, "violation")
      markup +=
        "<p class=\"bad\">\(Markup.escaped("\(count) of determinism: a point was computed twice with different digests. The rows:"))"
        + " \(Cell.command(["sqlite3", store.path, "SELECT * FROM violations"]))</p>"
    }
    return LivePage.Part(name: "now", heading: "Now", markup: markup)
  }

  var sweeps: LivePage.Part {
    guard !standing.sweeps.isEmpty else {
      return LivePage.Part(
        name: "sweeps", heading: "Sweeps", markup: Cell.paragraph("No sweep has been started in this store yet."))
    }
    var table = MarkupTable([
      ("Sweep", .left), ("", .left), ("Done", .right), ("Running", .right), ("Set aside", .right), ("To go", .left),
    ])
    for sweep in standing.sweeps {
      table.append([
        Cell.sweep(sweep.sweep), Cell.bar(sweep.finished + sweep.failed, of: sweep.total),
        "\(Wording.grouped(sweep.finished + sweep.failed))/\(Wording.grouped(sweep.total))", "\(sweep.running)",
        "\(sweep.failed)", Cell.text(Self.toGo(sweep)),
      ])
    }
    return LivePage.Part(name: "sweeps", heading: "Sweeps", markup: table.html)
  }

  /// Whether nothing is to come.
  static func isDone(_ sweep: SweepProgress) -> Bool {
    sweep.finished + sweep.failed == sweep.total && !sweep.isRefining
  }

  /// `about 5 min 20 s`, `done`, `paused`.
  static func toGo(_ sweep: SweepProgress) -> String {
    let refining = sweep.isRefining ? " (refining: more points come)" : ""
    if sweep.finished + sweep.failed == sweep.total { return "done" + refining }
    if sweep.state != .active { return sweep.state.rawValue }
    guard let seconds = sweep.etaSeconds else { return (sweep.running > 0 ? "not known yet" : "–") + refining }
    return "about \(Wording.duration(seconds: seconds))\(refining)"
  }

  /// - Parameter sweep: nil: of all.
  func runningPart(of sweep: String? = nil) throws -> LivePage.Part {
    let heading = "Running"
    var table = MarkupTable([
      ("Point", .left), ("Setting", .left), ("", .left), ("Epoch", .right), ("Machine", .left), ("Since", .left),
    ])
    var panels: [Panel] = []
    var rows: [[DataTable.Value]] = []
    var (shown, curveless) = (0, 0)
    for (point, worker) in running {
      guard let name = try store.name(of: point) else { continue }
      if let sweep, name.sweep != sweep { continue }
      shown += 1
      let words = Cell.words(name.setting, name.modelSeed, name.dataSeed)
      let known = shown <= Self.drawnCurves ? curve(point) : nil
      if let known, known.places.count > 1 {
        // The id first: where there is little room, the rest is cut off.
        panels.append(Self.panel("\(point.short.prefix(8))  \(words)", known))
        rows += known.places.map {
          [
            .text(point.short), DataTable.Value($0.epoch), DataTable.Value($0.trainLoss), DataTable.Value($0.testLoss),
            DataTable.Value($0.trainAccuracy), DataTable.Value($0.testAccuracy),
          ]
        }
      } else {
        curveless += 1
      }
      let epoch = [worker.epoch, known?.epoch].compactMap { $0 }.max()
      let last = worker.epochs ?? known?.lastEpoch
      let isAgain = worker.isVerification ? " (again, to compare)" : ""
      table.append([
        Cell.point(point), Cell.text(words + isAgain),
        epoch.flatMap { epoch in last.map { Cell.bar(min(epoch, $0), of: $0) } } ?? "",
        epoch.map { "\(Wording.grouped($0))\(last.map { "/\(Wording.grouped($0))" } ?? "")" } ?? "not said yet",
        Cell.text(worker.host), worker.heldSeconds.map { Cell.time(now.addingTimeInterval(-$0)) } ?? "–",
      ])
    }
    guard shown > 0 else {
      let why =
        standing.coordinator == nil ? "Nothing runs: no coordinator has this store." : "No point runs right now."
      return LivePage.Part(name: "running", heading: heading, markup: Cell.paragraph(why))
    }
    var markup = table.html
    if !panels.isEmpty {
      let figure = Figure(
        name: "running-losses", title: "Losses so far",
        caption: "Train and test loss of the points that run, as far as their last checkpoints know them.",
        panels: panels, columns: 3, sharing: [], shape: .height(110),
        table: DataTable(
          columns: ["point", "epoch", "train_loss", "test_loss", "train_accuracy", "test_accuracy"], rows: rows))
      markup += "\n" + FigureBlock(figure, data: .none).html
    }
    if curveless > 0 {
      markup += Cell.paragraph(
        "\(Wording.count(curveless, "running point")) without a curve: a run's curve comes here with its checkpoints, of which "
          + "the first is written after half a minute, where these are kept on this machine. Epochs are those that the "
          + "coordinator noted last; it keeps speeds in mind only, which groksweep top --connect asks it for.")
    }
    return LivePage.Part(name: "running", heading: heading, markup: markup)
  }

  private static func panel(_ title: String, _ curve: UnfinishedCurve) -> Panel {
    Panel(
      title: title, x: Axis("Epoch"), y: Axis("Loss (nats)", .logarithmic),
      marks: [
        .line(Line("train", curve.places.map { Line.Point(Double($0.epoch), $0.trainLoss) }, .series(0))),
        .line(Line("test", curve.places.map { Line.Point(Double($0.epoch), $0.testLoss) }, .series(1))),
      ])
  }

  var machines: LivePage.Part {
    guard !standing.workers.isEmpty else {
      let why =
        standing.coordinator == nil
        ? "No coordinator, so no workers."
        : "No workers. One joins with: groksweep worker --connect ENDPOINT (the coordinator printed its own)"
      return LivePage.Part(name: "machines", heading: "Machines", markup: Cell.paragraph(why))
    }
    var names: [String] = []
    var byHost: [String: [WorkerStatus]] = [:]
    for worker in standing.workers {
      if byHost[worker.host] == nil { names.append(worker.host) }
      byHost[worker.host, default: []].append(worker)
    }
    var table = MarkupTable([
      ("Machine", .left), ("Slots", .right), ("Busy", .right), ("Kernels", .left), ("Last noted", .left),
    ])
    for name in names {
      let workers = byHost[name] ?? []
      var paths: [String] = []
      for path in workers.compactMap(\.kernelPath) where !paths.contains(path) { paths.append(path) }
      let silent = workers.map(\.silentSeconds).min() ?? 0
      table.append([
        Cell.text(name), "\(workers.count)", "\(workers.count { $0.point != nil })",
        Cell.text(paths.isEmpty ? "–" : paths.joined(separator: ", ")), Cell.time(now.addingTimeInterval(-silent)),
      ])
    }
    return LivePage.Part(name: "machines", heading: "Machines", markup: table.html)
  }

  /// - Parameter sweep: nil: of all.
  func recentPart(of sweep: String? = nil) throws -> LivePage.Part {
    let runs = try store.recentRuns(of: sweep, Self.listed)
    guard !runs.isEmpty else {
      return LivePage.Part(
        name: "finished", heading: "Finished last", markup: Cell.paragraph("No run has finished yet."))
    }
    var table = MarkupTable([
      ("Point", .left), ("Setting", .left), ("Outcome", .left), ("Grokked at", .right), ("Took", .right),
      ("Machine", .left), ("When", .left),
    ])
    for run in runs {
      table.append([
        Cell.point(run.point), Cell.setting(run.setting, run.modelSeed, run.dataSeed), Cell.text(run.outcome),
        Cell.grokking(run.grokkingEpoch, censoredAfter: run.censoredAfter),
        Cell.text(Wording.duration(seconds: run.seconds)), Cell.text(run.host), Cell.time(run.stored),
      ])
    }
    return LivePage.Part(name: "finished", heading: "Finished last", markup: table.html)
  }

  /// - Parameter sweep: nil: of all.
  func failures(of sweep: String? = nil) throws -> LivePage.Part {
    var markup = ""
    let (points, all) = try store.setAside(of: sweep, 50)
    if points.isEmpty {
      markup += Cell.paragraph("No point is set aside.")
    } else {
      let target = standing.coordinator == nil ? ["--store", store.path] : ["--connect", "ENDPOINT"]
      let command = Cell.command(["groksweep", "retry"] + (sweep.map { ["--sweep", $0] } ?? []) + target)
      markup +=
        "<p>\(Wording.count(all, "point is", plural: "points are")) set aside. Once the cause is mended: \(command)</p>"
      var table = MarkupTable([("Point", .left), ("Sweep", .left), ("Setting", .left), ("Reason", .left)])
      for point in points {
        table.append([
          Cell.point(point.point), Cell.sweep(point.sweep), Cell.text(point.setting),
          "<span class=\"reason\">\(Cell.text(point.reason))</span>",
        ])
      }
      markup += table.html
      if all > points.count { markup += Cell.paragraph("… and \(all - points.count) more.") }
    }
    if sweep == nil, !standing.failures.isEmpty {
      markup += "<h3>Attempts that went wrong lately</h3>"
      var table = MarkupTable([
        ("Point", .left), ("What", .left), ("Reason", .left), ("Machine", .left), ("When", .left),
      ])
      for failure in standing.failures {
        table.append([
          Cell.point(failure.point), Cell.text(failure.kind.replacing("_", with: " ")),
          "<span class=\"reason\">\(Cell.text(failure.reason ?? "–"))</span>", Cell.text(failure.host),
          Cell.time(failure.ended),
        ])
      }
      markup += table.html
      if let first = standing.failures.first {
        markup +=
          "<p>More of a point's story: \(Cell.command(["groksweep", "explain", first.point.short, "--store", store.path]))</p>"
      }
    }
    return LivePage.Part(name: "failures", heading: "Failures", markup: markup)
  }
}
