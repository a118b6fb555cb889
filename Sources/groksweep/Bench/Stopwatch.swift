// How the benchmarks take time: work is repeated for a turn, turns of different work alternate in rounds, and what is
// reported is the median over rounds. A disturbance of the machine then hits all work alike, or is left out.

import Foundation

struct Stopwatch {
  private static let clock = ContinuousClock()

  /// How long a turn lasts, at least.
  let turn: Duration

  /// Seconds that one call takes: the mean of one turn of them, and of one call at least.
  func secondsPerCall(_ body: () throws -> Void) rethrows -> Double {
    let began = Stopwatch.clock.now
    var calls = 0
    var elapsed = Duration.zero
    repeat {
      try body()
      calls += 1
      elapsed = Stopwatch.clock.now - began
    } while elapsed < turn
    return elapsed / .seconds(1) / Double(calls)
  }

  /// Seconds from one call of this to the next.
  struct Lap {
    private var last = Stopwatch.clock.now

    mutating func seconds() -> Double {
      let now = Stopwatch.clock.now
      defer { last = now }
      return (now - last) / .seconds(1)
    }
  }
}

/// How much of its core a thread got.
struct CoreShare {
  private var wall = 0.0
  private var core = 0.0

  /// Counts the time of `body`, which must keep this thread busy.
  mutating func count<Value>(_ body: () throws -> Value) rethrows -> Value {
    let before = CoreShare.threadSeconds
    var lap = Stopwatch.Lap()
    defer {
      wall += lap.seconds()
      core += CoreShare.threadSeconds - before
    }
    return try body()
  }

  /// From 0 to 1; below when other processes ran on the core. What a virtual machine's host takes is not seen.
  var value: Double { min(core / wall, 1) }

  private static var threadSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

/// The same quantity from every round.
struct Rounds {
  private(set) var values: [Double] = []

  mutating func append(_ value: Double) { values.append(value) }

  /// - Precondition: there was a round.
  var median: Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  var min: Double { values.min()! }
  var max: Double { values.max()! }
}
