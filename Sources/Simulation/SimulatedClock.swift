// A machine's monotonic clock: it starts anywhere, runs a little fast or slow, and jumps forward when the machine was
// asleep. The machines under test see nothing else; the simulation itself counts nanoseconds of virtual time.

import Sweeps

struct SimulatedClock: Sendable {
  private var virtual: Int64
  private var local: Int64
  /// Seconds of this clock in a second of virtual time.
  private let rate: Double

  init(startingAt local: Int64, rate: Double) {
    virtual = 0
    self.local = local
    self.rate = rate
  }

  func instant(at time: Int64) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: local + Int64(Double(time - virtual) * rate))
  }

  /// When, in virtual time, this clock will have reached `instant`.
  func time(of instant: MonotonicInstant) -> Int64 {
    let span = Double(instant.nanoseconds &- local) / rate
    return span > 1e18 ? .max : virtual + Int64(span.rounded(.up)) + 1
  }

  mutating func jump(by seconds: Double, at time: Int64) {
    local = instant(at: time).nanoseconds + Int64(seconds * 1e9)
    virtual = time
  }
}
