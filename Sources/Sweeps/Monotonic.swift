// Time as the machines see it: durations on this machine's monotonic clock, handed in with every event.
//
// No wall clock and no other machine's clock is believed; a shell reads CLOCK_MONOTONIC and passes it on.

/// A moment on the monotonic clock of the machine that reads it; comparable only with moments of the same process.
package struct MonotonicInstant: Hashable, Comparable, Sendable {
  /// Since an arbitrary moment, usually the machine's start.
  package let nanoseconds: Int64

  package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  package static func < (left: MonotonicInstant, right: MonotonicInstant) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  /// This moment moved by a finite duration; stops at the ends of the clock instead of trapping.
  package func advanced(bySeconds seconds: Double) -> MonotonicInstant {
    let shift = (seconds * 1e9).rounded()
    // 2^62 ns are 146 years: beyond it, a duration means "never".
    let bounded = shift.isNaN ? 0 : min(max(shift, -0x1p62), 0x1p62)
    let (sum, overflow) = nanoseconds.addingReportingOverflow(Int64(bounded))
    return MonotonicInstant(nanoseconds: overflow ? (bounded > 0 ? .max : .min) : sum)
  }

  /// Seconds from `earlier` to this moment; negative when `earlier` is later.
  package func seconds(since earlier: MonotonicInstant) -> Double {
    Double(nanoseconds.subtractingReportingOverflow(earlier.nanoseconds).partialValue) / 1e9
  }
}
