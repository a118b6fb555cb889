// The points of a coordinator with their states, and the order in which they are handed out.
//
// A million points are normal: handing out the next one, and giving one back, must not depend on their number. Most of
// the memory are the experiments, so everything else about a point is kept small.
//
// The costly go first: with the short ones left for the end, no slot waits long for the last. Costs are compared in bands
// of a factor of √2; within a band points go by position.

import Grokking

/// Where a point stands. `finished` and `failed` are terminal: nothing leads out of them, but for a late result of a
/// failed point, which finishes it after all, and people who want a failed point tried again.
enum PointState: Hashable, Sendable {
  case pending
  /// Held, or after a restart awaited, under this lease.
  case leased(LeaseID)
  /// The result of `lease`, brought by the worker of this number, is on its way into the store. `holder` is the lease
  /// that is still open on the point: the same one, a rival's, or none.
  case storing(lease: LeaseID, worker: Int64, holder: LeaseID?)
  /// By this lease; nil when it was finished before this coordinator started.
  case finished(LeaseID?)
  case failed

  var isTerminal: Bool {
    switch self {
    case .finished, .failed: true
    case .pending, .leased, .storing: false
    }
  }
}

struct PointEntry: Hashable, Sendable {
  let id: PointID
  let experiment: Experiment
  fileprivate(set) var state: PointState
  /// It failed; only a result, or people, can change its state from then on.
  fileprivate(set) var isQuarantined: Bool
  /// Ended attempts that count against the point.
  fileprivate(set) var chargedAttempts: Int32
  /// In `SweepTable.groups`.
  fileprivate(set) var group: Int32
  /// The host that brought its result, by its place among the scheduler's hosts; nil when not known.
  var finishedBy: Int32?
  /// `Experiment.estimatedCoreSeconds`, worked out once.
  let coreSeconds: Float

  fileprivate var band: Int { CostBand.band(ofSeconds: coreSeconds) }
}

/// Numbers of the points of one group.
struct PointTally: Hashable, Sendable {
  var pending = 0
  var leased = 0
  /// Points whose result is at the store.
  var storing = 0
  var finished = 0
  var failed = 0
  /// Estimated, of one core; a whole number, so that what is added and taken away again leaves no trace.
  var pendingMicroseconds: Int128 = 0

  var all: Int { pending + leased + storing + finished + failed }

  static func + (left: PointTally, right: PointTally) -> PointTally {
    PointTally(
      pending: left.pending + right.pending, leased: left.leased + right.leased,
      storing: left.storing + right.storing, finished: left.finished + right.finished,
      failed: left.failed + right.failed,
      pendingMicroseconds: left.pendingMicroseconds + right.pendingMicroseconds)
  }
}

/// Points by position (the order in which they came) and by id. Of equal sweeps the next point is always the pending one
/// of the costliest band and in it of the lowest position, so a point that was given back comes before those never tried.
struct PointTable: Hashable, Sendable {
  /// A pending point, with its place in the order.
  struct Candidate: Hashable, Sendable {
    var tier: Int
    var band: Int
    var position: Int
  }

  private(set) var entries: [PointEntry] = []
  private var index = PositionIndex()
  private(set) var sweeps = SweepTable()
  /// By group.
  private(set) var tallies: [PointTally] = []
  /// By group.
  private var pending: [PendingPoints] = []

  var count: Int { entries.count }

  func position(of id: PointID) -> Int? { index.position(of: id) { entries[$0].id } }

  subscript(position: Int) -> PointEntry { entries[position] }

  func state(ofSweepsOf position: Int) -> SweepState { sweeps.state(of: Int(entries[position].group)) }

  /// Of the groups whose sweeps stand so.
  func tally(_ state: SweepState) -> PointTally {
    tallies.indices.reduce(PointTally()) { sweeps.state(of: $1) == state ? $0 + tallies[$1] : $0 }
  }

  /// Of one sweep; points of several sweeps are in the tally of each.
  func tally(sweep: Int) -> PointTally {
    tallies.indices.reduce(PointTally()) { sweeps.groups[$1].contains(sweep) ? $0 + tallies[$1] : $0 }
  }

  var total: PointTally { tallies.reduce(PointTally(), +) }

  /// Points that no sweep has any more.
  var withdrawn: PointTally {
    tallies.indices.reduce(PointTally()) { sweeps.groups[$1].isEmpty ? $0 + tallies[$1] : $0 }
  }

  /// Whether every point is terminal, or not wanted any more.
  var isSettled: Bool {
    tallies.indices.allSatisfy { group in
      let tally = tallies[group]
      if tally.leased + tally.storing > 0 { return false }
      return tally.pending == 0 || sweeps.state(of: group) == .cancelled
    }
  }

  mutating func reserve(_ count: Int) {
    entries.reserveCapacity(entries.count + count)
    index.reserve(entries.count + count)
  }

  mutating func register(_ sweep: KnownSweep) -> Int { sweeps.register(sweep) }

  mutating func set(sweep: String, to state: SweepState) -> Bool { sweeps.set(sweep, state: state) }

  mutating func set(sweep: String, priority: Int) -> Bool { sweeps.set(sweep, priority: priority) }

  /// The new position; nil when the id is known already.
  mutating func append(_ point: KnownPoint, sweeps places: [Int]) -> Int? {
    let position = entries.count
    guard index.insert(position, point.id, idAt: { entries[$0].id }) else { return nil }
    let state: PointState =
      switch point.state {
      case .pending: .pending
      case .finished: .finished(nil)
      case .failed: .failed
      }
    let group = self.group(of: places)
    entries.append(
      PointEntry(
        id: point.id, experiment: point.experiment, state: state, isQuarantined: state == .failed,
        chargedAttempts: Int32(clamping: max(0, point.chargedAttempts)), group: Int32(group),
        coreSeconds: Float(point.experiment.estimatedCoreSeconds)))
    count(position, by: 1)
    return position
  }

  /// A known point belongs to one more sweep.
  mutating func add(_ position: Int, toSweep place: Int) {
    let old = sweeps.groups[Int(entries[position].group)]
    guard !old.contains(place) else { return }
    count(position, by: -1)
    entries[position].group = Int32(group(of: old + [place]))
    count(position, by: 1)
  }

  /// A known point belongs to one sweep less.
  mutating func remove(_ position: Int, fromSweep place: Int) {
    let old = sweeps.groups[Int(entries[position].group)]
    guard old.contains(place) else { return }
    count(position, by: -1)
    entries[position].group = Int32(group(of: old.filter { $0 != place }))
    count(position, by: 1)
  }

  mutating func set(_ position: Int, to state: PointState) {
    let old = entries[position].state
    let isLateResult = if case (.failed, .storing) = (old, state) { true } else { false }
    precondition(
      !old.isTerminal || isLateResult, "point \(entries[position].id.short) is \(old) and cannot become \(state)")
    change(position, to: state)
    if state == .failed { entries[position].isQuarantined = true }
  }

  /// A failed point is tried again, and nothing is held against it. The one way out of a terminal state.
  mutating func reopen(_ position: Int) {
    precondition(entries[position].state == .failed, "point \(entries[position].id.short) did not fail")
    change(position, to: .pending)
    entries[position].isQuarantined = false
    entries[position].chargedAttempts = 0
  }

  /// Counts one more charged attempt and returns how many there are.
  mutating func charge(_ position: Int) -> Int {
    entries[position].chargedAttempts += 1
    return Int(entries[position].chargedAttempts)
  }

  mutating func refund(_ position: Int) {
    entries[position].chargedAttempts = max(0, entries[position].chargedAttempts - 1)
  }

  mutating func setFinished(_ position: Int, byHost host: Int) { entries[position].finishedBy = Int32(host) }

  /// The pending point to hand out next after `candidate`, or first of all; it stays pending. With `isCheaper` the first
  /// of a cheaper band, or of a later tier.
  func nextPending(after candidate: Candidate? = nil, isCheaper: Bool = false) -> Candidate? {
    var tier = candidate?.tier ?? 0
    var band = candidate.map { isCheaper ? $0.band - 1 : $0.band } ?? CostBand.last
    var from = isCheaper ? 0 : candidate.map { $0.position + 1 } ?? 0
    while tier < sweeps.tiers.count {
      let groups = sweeps.tiers[tier]
      while let next = groups.compactMap({ pending[$0].costliest(atMost: band) }).max() {
        if next < band { (band, from) = (next, 0) }
        if let position = groups.compactMap({ pending[$0].first(inBand: band, from: from) }).min() {
          return Candidate(tier: tier, band: band, position: position)
        }
        (band, from) = (band - 1, 0)
      }
      tier += 1
      (band, from) = (CostBand.last, 0)
    }
    return nil
  }

  /// Points that go before this pending one, whose sweeps are active; nil when none of them is.
  func pendingCount(before position: Int) -> Int? {
    let own = Int(entries[position].group)
    guard let tier = sweeps.tiers.firstIndex(where: { $0.contains(own) }) else { return nil }
    let earlier = sweeps.tiers[..<tier].joined().reduce(0) { $0 + pending[$1].count }
    let band = entries[position].band
    return sweeps.tiers[tier].reduce(earlier) { $0 + pending[$1].count(before: position, inBand: band) }
  }

  /// Of pending points of active sweeps: the sum of the squares of their estimated seconds, each taken as its band's.
  var pendingSquaredSeconds: Double {
    sweeps.tiers.joined().reduce(0) { $0 + pending[$1].squaredSeconds }
  }

  private mutating func change(_ position: Int, to state: PointState) {
    count(position, by: -1)
    entries[position].state = state
    count(position, by: 1)
  }

  private mutating func group(of places: [Int]) -> Int {
    let group = sweeps.group(of: places)
    while tallies.count <= group {
      tallies.append(PointTally())
      pending.append(PendingPoints())
    }
    return group
  }

  private mutating func count(_ position: Int, by change: Int) {
    let group = Int(entries[position].group)
    switch entries[position].state {
    case .pending:
      tallies[group].pending += change
      tallies[group].pendingMicroseconds += Int128(change) * Int128(entries[position].coreSeconds * 1e6)
      let band = entries[position].band
      if change > 0 { pending[group].insert(position, band) } else { pending[group].remove(position, band) }
    case .leased: tallies[group].leased += change
    case .storing: tallies[group].storing += change
    case .finished: tallies[group].finished += change
    case .failed: tallies[group].failed += change
    }
  }
}
