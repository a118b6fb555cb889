// One block of a sweep file as read: what it fixes, sweeps and rules out. A file without blocks is one block. What holds
// for several blocks, or comes from an included file, is filled in where a block does not say otherwise.

struct SweepBlockDraft {
  struct Fixed {
    let key: ExperimentKey
    let value: SettingValue
    let place: SweepFilePlace
  }

  enum Points {
    /// So many samples.
    case count(Int, SweepFilePlace)
    /// These.
    case listed(SweepAxis)
  }

  var preset: Preset?
  var method: (SweepMethod, place: SweepFilePlace)?
  var points: Points?
  var samplingSeed: (UInt64, place: SweepFilePlace)?
  /// In the order of reading; each key at most once.
  var fixed: [Fixed] = []
  /// In the order of the file, which is the order of the grid.
  var axes: [SweepAxis] = []
  var rules: [SweepRule] = []
  /// Where the block begins, or `axes` stands.
  var place = SweepFilePlace.file

  /// Listed points first: they vary slowest.
  var allAxes: [SweepAxis] {
    if case .listed(let axis)? = points { [axis] + axes } else { axes }
  }

  /// This block, with what `base` says where it says nothing. Its own axes come first, so that seeds that many blocks
  /// have in common vary fastest; the rules of both hold.
  func filled(from base: SweepBlockDraft) -> SweepBlockDraft {
    var result = self
    var inherited = base
    for key in fixed.map(\.key) + allAxes.flatMap(\.keys) { _ = inherited.remove(key) }
    result.preset = preset ?? base.preset
    result.method = method ?? base.method
    result.points = points ?? inherited.points
    result.samplingSeed = samplingSeed ?? base.samplingSeed
    result.fixed = inherited.fixed + fixed
    result.axes = axes + inherited.axes
    result.rules = base.rules + rules
    if axes.isEmpty, case .file = place { result.place = base.place }
    return result
  }

  /// Takes back what is said of `key` (of all three kinds of seed for `seed`). Returns the position of the axis that went, if one did.
  mutating func remove(_ key: ExperimentKey) -> Int? {
    let gone = key.path == "seed" ? ["seed", "model_seed", "data_seed"] : [key.path]
    let position = axes.firstIndex { axis in axis.keys.contains { gone.contains($0.path) } }
    axes = axes.compactMap { $0.without(gone) }
    if case .listed(let axis)? = points { points = axis.without(gone).map(Points.listed) }
    fixed.removeAll { gone.contains($0.key.path) }
    return position
  }
}

// What only the whole block shows.
extension SweepDraft {
  /// Keys that are said twice, `seed` beside the seeds that it sets, and axes that the method cannot use.
  mutating func refuseContradictions(in block: SweepBlockDraft) {
    let axes = block.allAxes
    var seen: [(path: String, place: SweepFilePlace)] = []
    for axis in axes {
      for key in axis.keys {
        if let other = seen.first(where: { $0.path == key.path }) {
          report(axis.place, "\(key.path) is an axis here and\(other.place.whereabouts) again; keep one")
        }
        seen.append((key.path, axis.place))
        if let other = block.fixed.first(where: { $0.key.path == key.path }), !axis.leavesFixed(key) {
          report(axis.place, "\(key.path) is an axis here and fixed\(other.place.whereabouts); keep one")
        }
      }
    }
    refuseSeedsTwice(block.fixed.map { ($0.key.path, $0.place) } + seen)
    refuseWrongMethod(in: block)
  }

  private mutating func refuseSeedsTwice(_ given: [(path: String, place: SweepFilePlace)]) {
    guard let seed = given.first(where: { $0.path == "seed" }) else { return }
    for other in given where ["model_seed", "data_seed"].contains(other.path) {
      report(
        other.place,
        "\(other.path) is given beside seed\(seed.place.whereabouts), which sets it too; keep seed alone, or model_seed and "
          + "data_seed")
    }
  }

  private mutating func refuseWrongMethod(in block: SweepBlockDraft) {
    let method = block.method?.0 ?? .grid
    refuseWrongSearch(in: block, method)
    if method.isSampled {
      let place = block.method?.place ?? block.place
      switch block.points {
      case .count?: break
      case .listed(let axis)?:
        report(
          axis.place,
          "points lists points, but method \(method.rawValue) draws them; write points: 64, or remove method")
      case nil where unreadable.contains("points"): break
      case nil: report(place, "method \(method.rawValue) needs a number of points, such as points: 64")
      }
      let sampled = Sampling.sampledAxes(block.axes).count
      if sampled == 0, unreadable.isEmpty {
        report(place, "method \(method.rawValue) has nothing to draw: no axis but seeds; add one, or remove method")
      } else if method == .sobol, sampled > SobolSequence.maximumDimensions {
        report(
          place,
          "method sobol has \(sampled) axes to draw, and the sequence has \(SobolSequence.maximumDimensions) dimensions; "
            + "write method: random, or zip axes that can move together")
      }
      return
    }
    if case .count(let count, let place)? = block.points {
      report(
        place,
        "points: \(count) asks for samples, but the method is \(method.rawValue); write method: sobol or random, or list "
          + "points")
    }
    for axis in block.axes {
      guard case .distribution(let distribution) = axis.domain else { continue }
      report(
        axis.place,
        "\(axis.name) is a distribution (\(distribution.name)), of which a grid has no values; write method: sobol and "
          + "points: 64, or a list or {from: …, to: …, step: …}")
    }
    if let (_, place) = block.samplingSeed {
      report(
        place,
        "sampling_seed is given, but the method is \(method.rawValue); write method: sobol or random, or remove it")
    }
  }
}
