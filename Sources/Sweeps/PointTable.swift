// The points of a coordinator with their states, and the order in which they are handed out.
//
// A million points are normal: handing out the next one, and giving one back, must not depend on their number.

import Grokking

/// Where a point stands. `finished` and `failed` are terminal: nothing leads out of them, but for a late result of a
/// failed point, which finishes it after all.
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
  /// Ended attempts that count against the point.
  var chargedAttempts: Int
  /// It failed; only a result can change its state from then on.
  fileprivate(set) var isQuarantined: Bool
}

/// Points by position (their order in the sweep) and by id. The next point is always the pending one of the lowest
/// position, so a point that was given back comes before those never tried.
struct PointTable: Hashable, Sendable {
  private(set) var entries: [PointEntry] = []
  private var positions: [PointID: Int] = [:]
  /// Pending positions below this one are in `returned`; from it on, the entries' own states count.
  private var cursor = 0
  private var returned = SortedList<Int>()

  private(set) var pendingCount = 0
  /// Points whose result is at the store.
  private(set) var storingCount = 0
  private(set) var finishedCount = 0
  private(set) var failedCount = 0
  /// Epochs of all points that are not terminal.
  private(set) var openEpochs = 0

  var count: Int { entries.count }
  var terminalCount: Int { finishedCount + failedCount }

  func position(of id: PointID) -> Int? { positions[id] }

  subscript(position: Int) -> PointEntry { entries[position] }

  mutating func reserve(_ count: Int) {
    entries.reserveCapacity(entries.count + count)
    positions.reserveCapacity(entries.count + count)
  }

  /// The new position; nil when the id is known already.
  mutating func append(_ point: KnownPoint) -> Int? {
    let position = entries.count
    guard positions[point.id] == nil else { return nil }
    positions[point.id] = position
    let state: PointState =
      switch point.state {
      case .pending: .pending
      case .finished: .finished(nil)
      case .failed: .failed
      }
    entries.append(
      PointEntry(
        id: point.id, experiment: point.experiment, state: state, chargedAttempts: max(0, point.chargedAttempts),
        isQuarantined: state == .failed))
    count(entries[position], by: 1)
    return position
  }

  mutating func set(_ position: Int, to state: PointState) {
    let old = entries[position].state
    let isLateResult = if case (.failed, .storing) = (old, state) { true } else { false }
    precondition(
      !old.isTerminal || isLateResult, "point \(entries[position].id.short) is \(old) and cannot become \(state)")
    count(entries[position], by: -1)
    entries[position].state = state
    if state == .failed { entries[position].isQuarantined = true }
    count(entries[position], by: 1)
    guard position < cursor else { return }
    if state == .pending { returned.insert(position) } else if old == .pending { returned.remove(position) }
  }

  /// Counts one more charged attempt and returns how many there are.
  mutating func charge(_ position: Int) -> Int {
    entries[position].chargedAttempts += 1
    return entries[position].chargedAttempts
  }

  /// The pending point to hand out next; it stays pending.
  mutating func nextPending() -> Int? {
    if let position = returned.first { return position }
    while cursor < entries.count, entries[cursor].state != .pending { cursor += 1 }
    return cursor < entries.count ? cursor : nil
  }

  private mutating func count(_ entry: PointEntry, by change: Int) {
    switch entry.state {
    case .pending: pendingCount += change
    case .finished: finishedCount += change
    case .failed: failedCount += change
    case .storing: storingCount += change
    case .leased: break
    }
    if !entry.state.isTerminal { openEpochs += change * entry.experiment.training.epochs }
  }
}
