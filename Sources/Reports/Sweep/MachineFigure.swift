// What a sweep cost, and on which machines.

import Figures
import Results

extension SweepSubject {
  private static let mostMachines = 24

  var machineShares: Drawn {
    let machines = origin?.machines ?? []
    let shown = Array(machines.sorted { $0.seconds > $1.seconds }.prefix(Self.mostMachines).reversed())
    let names = shown.map { machine in
      let isAlone = shown.count { $0.host == machine.host } == 1
      return isAlone ? machine.host : "\(machine.host) (\(machine.kernelPath))"
    }
    func bars(_ colour: Int, _ value: (MachineShare) -> Double?, _ words: (Double) -> String) -> Mark {
      .bars(
        Bars(
          nil,
          shown.enumerated().map { row, machine in
            Bars.Bar(
              Double(row), value(machine),
              title: "\(machine.host): \(machine.cpu), \(machine.kernelPath), \(Wording.count(machine.runs, "run"))",
              text: value(machine).map(words))
          }, .series(colour)))
    }
    return Drawn(
      caption: machineCaption(machines),
      panels: [
        Panel(
          title: "Core-hours", x: Axis("", including: [0]), y: Axis("", .bands(names)),
          marks: [bars(0, { $0.seconds / 3600 }, Self.hours)]),
        Panel(
          title: "Epochs a second and core", x: Axis("", including: [0]), y: Axis("", .bands(names)),
          marks: [bars(1, \.epochsPerSecond, Wording.rate)]),
      ], columns: 2, sharing: [.y], shape: .height(max(Double(shown.count) * 24, 40)),
      table: DataTable(
        columns: ["host", "cpu", "cores", "kernel_path", "workers", "runs", "core_seconds", "epochs_per_second"],
        rows: machines.map { machine in
          [
            .text(machine.host), .text(machine.cpu), .init(machine.cores), .text(machine.kernelPath),
            .init(machine.workers), .init(machine.runs), .init(machine.seconds), .init(machine.epochsPerSecond),
          ]
        }))
  }

  /// Of a bar; seconds or minutes where hours would be rounded to nothing.
  private static func hours(_ hours: Double) -> String {
    hours < 0.01
      ? Wording.duration(seconds: hours * 3600) : NumberText.value(Double(Wording.fixed(hours, digits: 2)))
  }

  private func machineCaption(_ machines: [MachineShare]) -> String {
    let seconds = machines.reduce(0) { $0 + $1.seconds }
    var text =
      "Where the runs were computed. \(Wording.count(runs.count, "run")) took \(Self.coreHours(seconds)) on "
      + "\(Wording.count(machines.count, "machine"))"
    if let paths = Self.listed(machines.map(\.kernelPath)) { text += ", with the kernels \(paths)" }
    text += ". Epochs a second are of runs that were trained in one go, and depend on the size of their models."
    let lost = (origin?.attempts ?? []).filter { !["finished", "open", "superseded"].contains($0.kind) }
    if !lost.isEmpty {
      let (count, time) = (lost.reduce(0) { $0 + $1.attempts }, lost.reduce(0) { $0 + $1.seconds })
      text +=
        " \(Wording.count(count, "attempt")) more did not bring a result ("
        + lost.map { "\($0.attempts) \($0.kind)" }.joined(separator: ", ")
        + "), and held a point for \(Wording.duration(seconds: time)) in all."
    }
    return machines.count > Self.mostMachines
      ? text + " Shown are the \(Self.mostMachines) with the most core-hours; the table has all." : text
  }

  /// `0.04 core-hours`, `312 core-hours`.
  static func coreHours(_ seconds: Double) -> String {
    let hours = seconds / 3600
    return hours < 0.01
      ? "\(Wording.duration(seconds: seconds)) of one core"
      : "\(hours < 10 ? Wording.fixed(hours, digits: 2) : NumberText.value(hours)) core-hours"
  }

  /// Every name once, `a, b and c`; nil when there are none.
  static func listed(_ names: [String]) -> String? {
    var once: [String] = []
    for name in names where !once.contains(name) { once.append(name) }
    guard once.count > 1 else { return once.first }
    return once.dropLast().joined(separator: ", ") + " and " + once[once.count - 1]
  }
}
