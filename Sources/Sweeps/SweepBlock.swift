// One block of a sweep, ready to give points: fixed values, axes that cross or are drawn, and what rules leave out. A
// point is made when it is asked for: a million of them cost no memory, or four bytes each where rules leave some out.
//
// Order: row-major in the file's order of axes, the last axis varying fastest. Seeds written last, as usual, thus give
// all seeds of the first setting, then all of the second. Samples come before everything that is crossed with them, so
// more samples only add points at the end.

import Grokking

struct SweepBlock: Sendable {
  /// With every fixed value; swept ones hold their preset's.
  let base: Experiment
  /// The fixed `d_vocab_out`, which may follow the modulus.
  let vocabulary: SettingValue
  let axes: [SweepAxis]
  let rules: [SweepRule]
  /// nil for grids.
  let sampling: Sampling?
  /// Axes in the order in which they are set: each behind those that its conditions look at.
  private let order: [Int]
  private let isInOrder: Bool
  /// What settings write before each value: `weight_decay=`; nil for seeds.
  private let labels: [[String?]]
  /// Candidates that one step along each axis skips; 0 for axes that are drawn.
  let strides: [Int]
  /// Combinations before conditions and rules.
  let candidateCount: Int
  /// Candidates that are points, ascending; nil when all are.
  var kept: [UInt32]?

  var method: SweepMethod { sampling?.method ?? (axes.contains { $0.search != nil } ? .boundary : .grid) }

  var count: Int { kept?.count ?? candidateCount }

  /// More combinations than this would take too long to try.
  static let maximumCandidates = 5_000_000

  /// nil when there are more candidates than `limit`.
  ///
  /// - Parameter order: every axis once.
  init?(
    base: Experiment, vocabulary: SettingValue, axes: [SweepAxis], rules: [SweepRule] = [], sampling: Sampling? = nil,
    order: [Int]? = nil, limit: Int = SweepAxis.maximumValues
  ) {
    self.base = base
    self.vocabulary = vocabulary
    self.axes = axes
    self.rules = rules
    self.sampling = sampling
    self.order = order ?? Array(axes.indices)
    isInOrder = self.order == Array(axes.indices)
    labels = axes.map { $0.keys.map { $0.isSeed ? nil : $0.shortName + "=" } }
    var strides = [Int](repeating: 0, count: axes.count)
    var count = 1
    let sizes = axes.indices.reversed().compactMap { axis -> (axis: Int, size: Int)? in
      sampling?.dimensions[axis] == nil ? axes[axis].rows.map { (axis, $0.count) } : nil
    }
    for (axis, size) in sizes + (sampling.map { [(-1, $0.points)] } ?? []) {
      if axis >= 0 { strides[axis] = count }
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow, product <= limit else { return nil }
      count = product
    }
    self.strides = strides
    candidateCount = count
  }

  /// A grid of axes over one key each, without conditions and rules: all its candidates are points, and all different,
  /// since every value on an axis has an effect.
  var isPlainGrid: Bool {
    sampling == nil && rules.isEmpty
      && axes.allSatisfy { $0.keys.count == 1 && $0.condition == nil && $0.rows?.conditions.isEmpty ?? false }
      && axes.allSatisfy { axis in axis.keys.allSatisfy { !ExperimentKey.pathsOfIdleValues.contains($0.path) } }
  }

  /// The candidate that is point `position`.
  func candidate(at position: Int) -> Int { kept.map { Int($0[position]) } ?? position }

  /// nil when the candidate is no combination of its own: where an axis does not exist, only its first value counts.
  func experiment(ofCandidate candidate: Int) -> Experiment? {
    var experiment = base
    return set(candidate, &experiment) { _, _, _, _ in } ? experiment : nil
  }

  /// The experiment, and its swept values without seeds, those of axes that exist there:
  /// `weight_decay=1 train_fraction=0.3`. nil as for `experiment`.
  func described(candidate: Int) -> (experiment: Experiment, setting: String)? {
    var experiment = base
    var setting = ""
    if isInOrder {
      let isPoint = set(candidate, &experiment) { axis, _, column, value in
        append(value, of: axis, column, to: &setting)
      }
      return isPoint ? (experiment, setting) : nil
    }
    var words = [String](repeating: "", count: axes.count)
    guard
      set(candidate, &experiment, { axis, _, column, value in append(value, of: axis, column, to: &words[axis]) })
    else { return nil }
    return (experiment, words.filter { !$0.isEmpty }.joined(separator: " "))
  }

  private func append(_ value: SettingValue?, of axis: Int, _ column: Int, to setting: inout String) {
    guard let label = labels[axis][column], let value else { return }
    if !setting.isEmpty { setting += " " }
    setting += label
    setting += value.label
  }

  /// The row that each axis has at a candidate; nil for axes that are absent there or have no rows.
  func rows(ofCandidate candidate: Int) -> [Int?] {
    var experiment = base
    var rows = [Int?](repeating: nil, count: axes.count)
    _ = set(candidate, &experiment) { axis, row, _, _ in rows[axis] = row }
    return rows
  }

  /// Sets the values of a candidate. `note` hears of each value that exists there: its axis, row, column and itself, nil
  /// where the row leaves the key fixed.
  @inline(__always)
  func set(
    _ candidate: Int, _ experiment: inout Experiment,
    _ note: (_ axis: Int, _ row: Int?, _ column: Int, _ value: SettingValue?) -> Void
  ) -> Bool {
    var vocabulary = vocabulary
    func assign(_ value: SettingValue, to key: ExperimentKey) {
      if key.kind == .vocabulary { vocabulary = value } else { key.set(value, &experiment) }
    }
    let sample = sampling.map { candidate / (candidateCount / $0.points) } ?? 0
    for index in order {
      let axis = axes[index]
      let stride = strides[index]
      // Conditions see the output vocabulary that the point will have.
      if !axis.isUnconditional { ExperimentKey.setVocabulary(vocabulary, &experiment) }
      let exists = axis.condition?.holds(experiment) ?? true
      switch axis.domain {
      case .distribution(let distribution):
        guard exists, let sampling, let dimension = sampling.dimensions[index] else { continue }
        let value = SettingValue.number(distribution.value(at: sampling.fraction(of: dimension, sample: sample)))
        assign(value, to: axis.keys[0])
        note(index, nil, 0, value)
      case .rows(let rows):
        let available = !exists ? 0 : rows.conditions.isEmpty ? rows.count : rows.available(experiment)
        var place = stride > 0 ? candidate / stride % rows.count : 0
        if available == 0 {
          if place > 0 { return false }
          continue
        }
        if stride == 0, let sampling, let dimension = sampling.dimensions[index] {
          place = Distribution.part(sampling.fraction(of: dimension, sample: sample), of: UInt64(available))
        }
        guard place < available else { return false }
        let row = rows.conditions.isEmpty ? place : rows.availableRow(place, experiment)
        for column in rows.columns.indices {
          let value = rows.columns[column][row]
          if let value { assign(value, to: axis.keys[column]) }
          note(index, row, column, value)
        }
      }
    }
    ExperimentKey.setVocabulary(vocabulary, &experiment)
    return true
  }
}

extension SweepAxis {
  fileprivate var isUnconditional: Bool { condition == nil && rows?.conditions.isEmpty ?? true }
}

extension SweepRows {
  /// How many rows' conditions hold.
  fileprivate func available(_ experiment: Experiment) -> Int {
    conditions.count { $0?.holds(experiment) ?? true }
  }

  /// The row that is number `place` of those whose conditions hold.
  fileprivate func availableRow(_ place: Int, _ experiment: Experiment) -> Int {
    var left = place
    for (row, condition) in conditions.enumerated() where condition?.holds(experiment) ?? true {
      if left == 0 { return row }
      left -= 1
    }
    preconditionFailure("row \(place) of fewer")
  }
}
