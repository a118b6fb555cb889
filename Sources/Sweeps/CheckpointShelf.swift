// What the scheduler knows of checkpoints: which are kept beside the store, which are on their way here, and who waits for
// which bytes. The bytes themselves it never sees twice.

import Grokking

/// A checkpoint that a worker has, and that is not pulled yet.
struct CheckpointOffer: Hashable, Sendable {
  let lease: LeaseID
  let position: Int
  let worker: Int64
  let contents: CheckpointContents
}

/// A checkpoint on its way here.
struct CheckpointTransfer: Hashable, Sendable {
  let offer: CheckpointOffer
  var pull: CheckpointPull
  /// Requests since the last chunk.
  var unanswered = 0
  /// Every byte is here; the shell checks it.
  var isCompleting = false
}

/// Bytes of a kept checkpoint that the holder of a lease wants: its latest wish.
struct CheckpointFetch: Hashable, Sendable {
  let lease: LeaseID
  let position: Int
  let worker: Int64
  var request: CheckpointRequest
}

/// Lets through as many bytes a second as it is told, and a second's worth at once.
struct TokenBucket: Hashable, Sendable {
  private var level = 0.0
  private var filled: MonotonicInstant?

  /// Takes `bytes` out, or says how many seconds to wait for them.
  mutating func take(_ bytes: Int, rate: Double, at now: MonotonicInstant) -> Double? {
    let rate = max(rate, 1)
    // A chunk must fit, however low the rate.
    let capacity = max(rate, Double(CheckpointContents.maximumChunkBytes))
    level = filled.map { min(capacity, level + rate * max(0, now.seconds(since: $0))) } ?? capacity
    filled = now
    let missing = Double(bytes) - level
    // Less than a byte is rounding.
    if missing < 1 {
      level -= Double(bytes)
      return nil
    }
    return missing / rate
  }
}

struct CheckpointShelf: Hashable, Sendable {
  /// Kept beside the store, by position.
  private(set) var kept: [Int: CheckpointContents] = [:]
  private(set) var keptBytes = 0
  /// Kept, but as parts of ended runs, whose room is not counted here; only ever asked about one.
  private var lent: Set<Int> = []
  /// Points of which the shelf may have anything, half transfers included; only ever asked about one.
  var touched: Set<Int> = []
  var transfers: [CheckpointTransfer] = []
  /// One of a point at most, in the order in which the points came.
  var offers: [CheckpointOffer] = []
  /// One of a lease at most.
  var fetches: [CheckpointFetch] = []
  var bucket = TokenBucket()
  /// Something is due, and the bucket has enough for it by then.
  var waitsUntil: MonotonicInstant?
  var isFull = false
  /// Points whose result is being stored, and whose checkpoint stays for longer runs; only ever asked about one.
  var ends: Set<Int> = []

  var isIdle: Bool { transfers.isEmpty && offers.isEmpty && fetches.isEmpty }

  /// Kept, or on the way here.
  var takenBytes: Int { transfers.reduce(keptBytes) { $0 + $1.pull.missing.byteCount } }

  mutating func keep(_ position: Int, _ contents: CheckpointContents?, isLent: Bool = false) {
    if lent.remove(position) == nil { keptBytes -= kept[position]?.byteCount ?? 0 }
    if isLent { lent.insert(position) } else { keptBytes += contents?.byteCount ?? 0 }
    kept[position] = contents
    if contents != nil { touched.insert(position) }
  }

  /// Nothing of a point is known or wanted any more. Whether there may have been anything on the shelf.
  mutating func forget(_ position: Int) -> Bool {
    keep(position, nil)
    transfers.removeAll { $0.offer.position == position }
    offers.removeAll { $0.position == position }
    fetches.removeAll { $0.position == position }
    return touched.remove(position) != nil
  }
}
