// The screen of `top`: a function of how things stand and of the size to its lines. Lays out text only; who draws it knows the
// terminal.

import Results
import Sweeps

package struct TopScreen {
  package enum Style: Hashable, Sendable {
    case plain, title, good, bad, doubtful, quiet
  }

  /// A line, and how it looks where there are colours.
  package struct Line: Hashable, Sendable {
    package let text: String
    package let style: Style

    package init(_ text: String, _ style: Style = .plain) {
      self.text = text
      self.style = style
    }
  }

  /// Silence after which something is probably wrong with a machine, in seconds.
  private static let silence = 30.0

  private let status: CoordinatorStatus
  /// Said in the first lines: why what is shown is old.
  private let remark: String?

  package init(_ status: CoordinatorStatus, remark: String? = nil) {
    self.status = status
    self.remark = remark
  }

  /// - Parameters:
  ///   - columns: no line is wider.
  ///   - rows: there are not more lines; nil: all of them.
  ///   - footer: the last line, if any.
  package func lines(columns: Int, rows: Int? = nil, footer: String? = nil) -> [Line] {
    var lines = headline.map { Line($0.text.withoutControls.cut(to: columns), $0.style) }
    let sections = [sweeps(columns), machines(columns), running(columns), failures(columns)].filter { !$0.isEmpty }
    let room = rows.map { max(0, $0 - lines.count - (footer == nil ? 0 : 1)) }
    for section in Self.fit(sections, into: room) { lines += section.map { Line($0.text.cut(to: columns), $0.style) } }
    if let footer { lines.append(Line(footer.cut(to: columns), .quiet)) }
    return rows.map { Array(lines.prefix($0)) } ?? lines
  }

  /// Each section has an empty line and its title, then as many lines as it gets: one after the other gets one more while
  /// there is room. What is left out is counted.
  private static func fit(_ sections: [[Line]], into room: Int?) -> [[Line]] {
    guard let room else { return sections.map { [Line("")] + $0 } }
    var taken = sections.map { _ in 0 }
    var left = room
    var isMoving = true
    while left > 0, isMoving {
      isMoving = false
      for place in sections.indices where taken[place] < sections[place].count {
        // With its first line come its header and the empty line above it.
        let cost = taken[place] == 0 ? min(3, 1 + sections[place].count) : 1
        guard cost <= left else { continue }
        taken[place] += taken[place] == 0 ? cost - 1 : 1
        left -= cost
        isMoving = true
      }
    }
    return zip(sections, taken).compactMap { section, taken in
      guard taken > 0 else { return nil }
      var shown = Array(section.prefix(taken))
      if taken < section.count, taken > 1 {
        shown[taken - 1] = Line("… and \(section.count - taken + 1) more", .quiet)
      }
      return [Line("")] + shown
    }
  }

  private var headline: [Line] {
    var first = "groksweep  \(status.store)"
    if let holder = status.coordinator { first += "  process \(holder.processID) on \(holder.host)" }
    var facts: [String] = []
    if status.coordinator == nil { facts.append("no coordinator") }
    if let remaining = status.remaining, remaining.seconds > 0 { facts.append(Wording.toGo(remaining)) }
    let rate = status.workers.compactMap(\.epochsPerSecond).reduce(0, +)
    if rate > 0 { facts.append("\(Wording.rate(rate)) epochs/s") }
    let hosts = machineNames.count
    facts.append(
      status.workers.isEmpty
        ? "no workers" : "\(Wording.count(status.workers.count, "slot")) on \(Wording.count(hosts, "machine"))")
    var lines = [Line(first, .title), Line(facts.joined(separator: "  "))]
    if let remark { lines.append(Line(remark, .doubtful)) }
    if status.isPaused { lines.append(Line("nothing is handed out: the store cannot be written", .bad)) }
    if status.violations > 0 {
      lines.append(Line("\(Wording.count(status.violations, "violation")) of determinism (view violations)", .bad))
    }
    for barred in status.barredHosts {
      lines.append(
        Line("\(barred.host) is kept out for \(Wording.duration(seconds: barred.secondsLeft)): \(barred.reason)", .bad))
    }
    if status.awaited > 0 {
      lines.append(Line("\(Wording.count(status.awaited, "point")) wait for their workers to come back", .doubtful))
    }
    return lines
  }

  private func sweeps(_ width: Int) -> [Line] {
    guard !status.sweeps.isEmpty else { return [Line("no sweep yet", .quiet)] }
    var table = FittedTable([
      .init("SWEEP", .left), .init("", .left, rank: width < 60 ? 3 : 1), .init("", .right),
      .init("POINTS", .right, rank: width < 60 ? 1 : 0), .init("RUNNING", .right, rank: 4),
      .init("FAILED", .right, rank: 5),
      .init("TO GO", .left, rank: 2),
    ])
    for sweep in status.sweeps {
      let done = sweep.finished + sweep.failed
      let share = sweep.total == 0 ? 1 : Double(done) / Double(sweep.total)
      let isOver = done == sweep.total && !sweep.isRefining
      let state =
        isOver
        ? "done"
        : sweep.state != .active ? sweep.state.rawValue : sweep.etaSeconds.map { Wording.duration(seconds: $0) }
      table.append([
        sweep.sweep, LiveProgress.bar(share: share, width: width < 60 ? 10 : 20), "\(Int(share * 100)) %",
        "\(Wording.grouped(done))/\(Wording.grouped(sweep.total))", "\(sweep.running)", "\(sweep.failed)",
        (state ?? "–") + (sweep.isRefining ? ", refining" : ""),
      ])
    }
    return styled(table.lines(width: width)) { place in
      let sweep = status.sweeps[place]
      return sweep.failed > 0 ? .bad : sweep.finished == sweep.total ? .good : .plain
    }
  }

  /// In the order of their first workers.
  private var machineNames: [String] {
    var (names, known) = ([String](), Set<String>())
    for worker in status.workers where known.insert(worker.host).inserted { names.append(worker.host) }
    return names
  }

  private func machines(_ width: Int) -> [Line] {
    var byHost: [String: [WorkerStatus]] = [:]
    for worker in status.workers { byHost[worker.host, default: []].append(worker) }
    let machines = machineNames.map { ($0, byHost[$0] ?? []) }
    guard !machines.isEmpty else { return [] }
    var table = FittedTable([
      .init("MACHINE", .left), .init("SLOTS", .right), .init("BUSY", .right, rank: 4),
      .init("EPOCHS/S", .right, rank: 1),
      .init("KERNELS", .left, rank: 5), .init("LAST HEARD", .right, rank: 2), .init("LEAVES IN", .right, rank: 6),
    ])
    for (host, workers) in machines {
      let rate = workers.compactMap(\.epochsPerSecond).reduce(0, +)
      var paths: [String] = []
      for path in workers.compactMap(\.kernelPath) where !paths.contains(path) { paths.append(path) }
      let leaving = workers.allSatisfy(\.isDraining) ? "(leaving)" : nil
      let left = workers.compactMap(\.secondsLeft).min().map { Wording.duration(seconds: $0) }
      table.append([
        host, "\(workers.count)", "\(workers.count { $0.point != nil })", rate > 0 ? Wording.rate(rate) : "–",
        paths.isEmpty ? "–" : paths.joined(separator: ", "),
        "\(Wording.duration(seconds: workers.map(\.silentSeconds).min()!)) ago", leaving ?? left ?? "–",
      ])
    }
    return styled(table.lines(width: width)) { place in
      machines[place].1.map(\.silentSeconds).min()! > Self.silence ? .doubtful : .plain
    }
  }

  private func running(_ width: Int) -> [Line] {
    let busy = status.workers.filter { $0.point != nil }
    guard !busy.isEmpty else { return [] }
    var table = FittedTable([
      .init("POINT", .left), .init("MACHINE", .left, rank: 3), .init("EPOCH", .right),
      .init("TRAIN LOSS", .right, rank: 2), .init("TEST LOSS", .right, rank: 1), .init("EPOCHS/S", .right, rank: 4),
      .init("FOR", .right, rank: 5),
    ])
    for worker in busy {
      let epoch = worker.epoch.map { epoch in
        Wording.grouped(epoch) + (worker.epochs.map { "/\(Wording.grouped($0))" } ?? "")
      }
      table.append([
        worker.point!.short + (worker.isVerification ? " again" : ""), worker.host, epoch ?? "–",
        Wording.loss(worker.trainLoss), Wording.loss(worker.testLoss),
        worker.epochsPerSecond.map { $0 > 0 ? Wording.rate($0) : "–" } ?? "–",
        worker.heldSeconds.map { Wording.duration(seconds: $0) } ?? "–",
      ])
    }
    return styled(table.lines(width: width)) { place in busy[place].silentSeconds > Self.silence ? .doubtful : .plain }
  }

  private func failures(_ width: Int) -> [Line] {
    guard !status.failures.isEmpty else { return [] }
    var table = FittedTable([
      .init("WENT WRONG", .left, rank: width < 60 ? 2 : 0), .init("POINT", .left), .init("MACHINE", .left, rank: 1),
      .init("HOW", .left),
    ])
    for failure in status.failures {
      table.append([
        Self.time(failure.ended), failure.point.short, failure.host,
        failure.kind + (failure.reason.map { ": \($0)" } ?? ""),
      ])
    }
    return styled(table.lines(width: width)) { _ in .bad }
  }

  /// `11-25 22:58:04` of `2026-11-25T22:58:04.123Z`.
  private static func time(_ text: String) -> String {
    String(text.dropFirst(5).prefix(14)).replacing("T", with: " ")
  }

  private func styled(_ lines: [String], _ style: (Int) -> Style) -> [Line] {
    lines.enumerated().map { place, text in Line(text, place == 0 ? .title : style(place - 1)) }
  }
}
