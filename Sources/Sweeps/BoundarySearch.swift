// An axis that is searched for the place where the outcome changes: {boundary: [0.10, 0.90], resolution: 0.01, start: 5}.

/// How the values of an axis are searched.
struct BoundarySearch: Hashable, Sendable {
  /// Positions of the values that the search begins with: ascending, the first and the last among them.
  let start: [Int]
  let low: Double
  let high: Double
  let resolution: Double

  static let names = ["boundary", "resolution", "start"]
  static let maximumAxes = 3
  /// Enough to meet a boundary that is not at the ends, few enough to cost little.
  static let defaultStart = 5

  var json: CanonicalJSON {
    .object([
      .init("boundary", .list([.number(low), .number(high)])), .init("resolution", .number(resolution)),
      .init("start", .number(Double(start.count))),
    ])
  }
}

extension AxisFields {
  func searchedAxis() throws(SweepFileProblem) -> SweepAxis {
    let form = "a searched axis is {boundary: [0.1, 0.9], resolution: 0.01, start: 5}"
    if let other = fields.keys.sorted().first(where: { !BoundarySearch.names.contains($0) }) {
      throw SweepFileProblem(
        place,
        other == "when"
          ? "axis \(key.path) is searched, so it exists everywhere; write when in other axes"
          : "axis \(key.path) is both searched and has \(other); \(form)")
    }
    guard key.kind == .decimal || key.kind == .whole else {
      throw SweepFileProblem(
        place,
        key.isSeed
          ? "seeds are not searched, they vote; write {count: 3}"
          : "axis \(key.path) cannot be searched: between its values (\(key.kind.expectation)) are no others; write a list"
      )
    }
    guard let given = fields["boundary"], let resolution = fields["resolution"] else {
      let missing = ["boundary", "resolution"].first { fields[$0] == nil } ?? ""
      throw SweepFileProblem(place, "axis \(key.path) lacks \(missing); \(form)")
    }
    guard case .list(let ends) = given.content, ends.count == 2 else {
      throw SweepFileProblem(
        given.place, "axis \(key.path): boundary takes two values, where the search begins and ends")
    }
    let (low, high) = (try decimal(ends[0], "boundary"), try decimal(ends[1], "boundary"))
    let step = try decimal(resolution, "resolution")
    guard low < high else {
      throw SweepFileProblem(
        given.place,
        "axis \(key.path): the search goes up from its first value, and \(ends[0].text ?? "") is not below "
          + "\(ends[1].text ?? "")")
    }
    guard step.mantissa > 0 else {
      throw SweepFileProblem(
        resolution.place, "axis \(key.path): resolution \(resolution.text ?? "") must be above 0")
    }
    guard let range = ExactDecimal.range(from: low, to: high, step: step) else {
      throw SweepFileProblem(place, "axis \(key.path): boundary and resolution are too far apart for an exact lattice")
    }
    try refuseTooMany(range.count)
    let values = range.values
    guard range.count >= 2, values[range.count - 1] == high.double else {
      // The nearest end that the steps meet.
      let shown = SettingValue.number(range.count >= 2 ? values[range.count - 1] : range[1]).label
      throw SweepFileProblem(
        resolution.place,
        "axis \(key.path): steps of \(resolution.text ?? "") up from \(ends[0].text ?? "") do not meet \(ends[1].text ?? ""); "
          + "end at \(shown), or choose a resolution that divides the range")
    }
    let count = Int(try whole("start", default: Double(min(BoundarySearch.defaultStart, range.count))))
    guard (2...range.count).contains(count) else {
      throw SweepFileProblem(
        fields["start"]?.place ?? place,
        "axis \(key.path): start \(count) is impossible; the search begins with 2 to \(range.count) of its "
          + "\(range.count) values")
    }
    let search = BoundarySearch(
      start: BoundaryLattice.evenStart(count, of: range.count), low: low.double, high: high.double,
      resolution: step.double)
    return SweepAxis(
      keys: [key], domain: .rows(SweepRows(columns: [values.map { .number($0) }])), search: search, place: place)
  }
}

extension SweepDraft {
  /// Method boundary without a searched axis or with too many, and searched axes of other methods.
  mutating func refuseWrongSearch(in block: SweepBlockDraft, _ method: SweepMethod) {
    let searched = block.axes.filter { $0.search != nil }
    guard method == .boundary else {
      for axis in searched {
        report(
          axis.place,
          "\(axis.name) is searched, but the method is \(method.rawValue); write method: boundary, or a list")
      }
      return
    }
    if searched.isEmpty, unreadable.isEmpty {
      report(
        block.method?.place ?? block.place,
        "method boundary has nothing to search; write an axis such as task.train_fraction: {boundary: [0.1, 0.9], "
          + "resolution: 0.01}")
    }
    let paths = searched.flatMap { $0.keys.map(\.path) }
    for axis in block.axes {
      guard let path = axis.conditionKeys.first(where: { paths.contains($0) }) else { continue }
      report(
        axis.place,
        "the condition of \(axis.name) looks at \(path), which is searched, so one search would mix different experiments; "
          + "write the condition over other keys, or a sweep of its own")
    }
    for axis in searched.dropFirst(BoundarySearch.maximumAxes) {
      report(
        axis.place,
        "\(axis.name) is searched, and so are \(BoundarySearch.maximumAxes) others, which are the most there may be; fix it, "
          + "or write a list")
    }
  }
}
