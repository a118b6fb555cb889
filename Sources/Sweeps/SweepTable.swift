// The sweeps of a coordinator, and the order in which their points go.
//
// A point may belong to several sweeps. Points that belong to the same ones form a group, of which there are few; so what
// depends on the state of sweeps is kept by group, and a sweep of a million points is paused by looking at its groups.

struct SweepTable: Hashable, Sendable {
  /// In order of registration.
  private(set) var sweeps: [KnownSweep] = []
  private var placeOfName: [String: Int] = [:]
  /// The sweeps of each group, ascending; none, of points that their sweeps' files no longer have.
  private(set) var groups: [[Int]] = []
  private var groupOfSweeps: [[Int]: Int] = [:]
  /// Groups whose points are handed out, by their best active sweep: those of higher priority first, then those that
  /// were registered first. Groups with the same best sweep stand together, and their points go by position.
  private(set) var tiers: [[Int]] = []

  /// The sweep's place. Known ones get this state and priority.
  mutating func register(_ sweep: KnownSweep) -> Int {
    if let place = placeOfName[sweep.name] {
      sweeps[place] = sweep
      order()
      return place
    }
    placeOfName[sweep.name] = sweeps.count
    sweeps.append(sweep)
    return sweeps.count - 1
  }

  /// False when no sweep has this name.
  mutating func set(_ name: String, state: SweepState) -> Bool {
    guard let place = placeOfName[name] else { return false }
    sweeps[place].state = state
    order()
    return true
  }

  mutating func set(_ name: String, priority: Int) -> Bool {
    guard let place = placeOfName[name] else { return false }
    sweeps[place].priority = priority
    order()
    return true
  }

  /// The group of points that belong to these sweeps and no others.
  mutating func group(of places: [Int]) -> Int {
    if let group = groupOfSweeps[places] { return group }
    var ascending: [Int] = []
    for place in places.sorted() where ascending.last != place { ascending.append(place) }
    precondition(
      ascending.allSatisfy(sweeps.indices.contains),
      "a point of sweeps \(places), but there are \(sweeps.count)")
    if let group = groupOfSweeps[ascending] { return group }
    groupOfSweeps[ascending] = groups.count
    groups.append(ascending)
    order()
    return groups.count - 1
  }

  func place(of name: String) -> Int? { placeOfName[name] }

  /// Active if one of its sweeps is; cancelled if all of them are, or there are none.
  func state(of group: Int) -> SweepState {
    var best = SweepState.cancelled
    for place in groups[group] {
      switch sweeps[place].state {
      case .active: return .active
      case .paused: best = .paused
      case .cancelled: break
      }
    }
    return best
  }

  private func bestActiveSweep(of group: Int) -> Int? {
    var best: Int?
    for place in groups[group] where sweeps[place].state == .active {
      if best.map({ sweeps[place].priority > sweeps[$0].priority }) ?? true { best = place }
    }
    return best
  }

  private mutating func order() {
    var bySweep: [(sweep: Int, groups: [Int])] = sweeps.indices.map { ($0, []) }
    for group in groups.indices {
      if let best = bestActiveSweep(of: group) { bySweep[best].groups.append(group) }
    }
    tiers = bySweep.filter { !$0.groups.isEmpty }
      .sorted { (-sweeps[$0.sweep].priority, $0.sweep) < (-sweeps[$1.sweep].priority, $1.sweep) }
      .map(\.groups)
  }
}
