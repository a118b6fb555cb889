// What must not harm a sweep, done to real processes: kill -9, SIGSTOP, cut links, full disks, locked stores. After each,
// the rows of the store are those of a sweep that nothing happened to, and nothing is left behind.
//
// Every `swift test` does the short form of each. `make soak` sets GROKSWEEP_TEST_SOAK=1 for the full one. Moments are
// drawn from GROKSWEEP_TEST_SEED, which every failure prints.

import Foundation
import Testing

/// Scenes run side by side, as many as there are cores: most of their time is waiting, for leases that end and for troubles
/// that last.
@Suite struct FaultTests {}

enum Form {
  static let isFull = ProcessInfo.processInfo.environment["GROKSWEEP_TEST_SOAK"] == "1"
  static let seed = ProcessInfo.processInfo.environment["GROKSWEEP_TEST_SEED"].flatMap { UInt64($0) } ?? 5

  /// What most scenes run: seconds of training for two workers, so that trouble finds them in the middle.
  static let sweep = isFull ? FaultSweep(points: 8, epochs: 60_000) : FaultSweep(points: 4, epochs: 25_000)
}

/// Numbers drawn from a seed (SplitMix64): the same seed, the same troubles in the same order.
struct Chance: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }
}
