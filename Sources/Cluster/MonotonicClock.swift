// The one place where the shells read the clock that the machines are handed.

import Foundation
import Sweeps

extension MonotonicInstant {
  /// CLOCK_MONOTONIC: never set back, and standing still while the machine sleeps, so that sleep ends no lease.
  package static var now: MonotonicInstant {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return MonotonicInstant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }

  /// From now; zero or less when this moment has passed.
  var fromNow: Duration { .nanoseconds(nanoseconds - MonotonicInstant.now.nanoseconds) }
}
