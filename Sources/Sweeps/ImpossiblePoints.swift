// Values that are right each for itself but make experiments that cannot be trained, or the same experiment twice.
// Every combination is tried (a million takes a tenth of a second); seeds cannot be impossible and are not crossed.

import Grokking

extension SweepDraft {
  /// Reports every reason why points of `grid` cannot be trained, once each, where its cause stands, with the number
  /// of points that it concerns. Says nothing where a value could not be read in the first place.
  mutating func refuseImpossible(in grid: SweepGrid) {
    refuseEqualVocabularies(in: grid)
    let settings = grid.axes.filter { !$0.key.isSeed }
    guard let crossed = SweepGrid(base: grid.base, vocabulary: grid.vocabulary, axes: settings) else { return }
    var found: [(problem: ExperimentProblem, first: Int, count: Int)] = []
    var positions: [ExperimentProblem: Int] = [:]
    for position in 0..<crossed.count {
      for problem in crossed.experiment(at: position).problems() {
        if let known = positions[problem] {
          found[known].count += 1
        } else if found.count < Self.maximumReasons {
          positions[problem] = found.count
          found.append((problem, position, 1))
        }
      }
    }
    let seeds = grid.count / crossed.count
    for reason in found {
      let keys = [reason.problem.key] + ExperimentKey.relatives(of: reason.problem.key)
      if keys.contains(where: unreadable.contains) { continue }
      var message = reason.problem.message
      if reason.count < crossed.count {
        message += " (\(reason.count * seeds) of \(grid.count) points"
        if settings.count > 1 { message += ", first \(crossed.setting(at: reason.first))" }
        message += ")"
      }
      report(cause(of: keys, in: crossed, at: reason.first), message)
    }
  }

  /// More would be listed by nobody; memory stays bounded when each of a million points is wrong in its own way.
  private static let maximumReasons = 1000

  /// Where the first of `keys` stands that the file or the command line gives.
  private func cause(of keys: [String], in grid: SweepGrid, at position: Int) -> SweepFilePlace {
    for key in keys {
      if let axis = grid.axes.firstIndex(where: { $0.key.path == key }) {
        return grid.axes[axis].place(ofValue: grid.valueIndex(ofAxis: axis, at: position))
      }
      if let entry = fixed.first(where: { $0.key.path == key }) { return entry.place }
    }
    return .file
  }

  /// `p+1` and `114` are the same for one modulus: the only way in which different values make equal points.
  private mutating func refuseEqualVocabularies(in grid: SweepGrid) {
    guard let axis = grid.axes.first(where: { $0.key.kind == .vocabulary }) else { return }
    let swept = grid.axes.first { $0.key.path == ExperimentKey.modulus }?.values
    for modulus in swept ?? [.number(Double(grid.base.task.modulus))] {
      guard case .number(let p) = modulus else { continue }
      var first: [Double: SettingValue] = [:]
      for (index, value) in axis.values.enumerated() {
        let size: Double
        switch value {
        case .number(let number): size = number
        case .modulusPlus(let more): size = p + Double(more)
        case .word, .flag, .absent: continue
        }
        guard let earlier = first.updateValue(value, forKey: size) else { continue }
        report(
          axis.place(ofValue: index),
          "axis \(axis.key.path): \(earlier.label) and \(value.label) are the same for modulus \(modulus.label); keep one"
        )
        return
      }
    }
  }
}
