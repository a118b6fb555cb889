// What a supervisor tells a worker process and learns of its end, and how long it waits between two of them.

import Foundation
import Sweeps

/// A worker process that has ended.
package struct WorkerProcessEnd: Hashable, Sendable {
  package let process: Int32
  /// As the process was told to call itself.
  package let boot: String
  package let ending: ProcessEnding
}

/// What a worker process is told when it is started.
package struct WorkerStart: Hashable, Sendable {
  package let boot: String
  /// How the process before it in its slot ended.
  package let predecessor: Predecessor?
  /// Until it has to be gone; nil: it may stay.
  package let secondsLeft: Double?
  /// Whether it says what holds for all of them: how the way to the coordinator stands.
  package let isSpokesman: Bool

  /// As options of the hidden kind of `groksweep worker`: one process, which leaves when this one has gone.
  package var options: [String] {
    var options = ["--boot", boot, "--exit-with-parent", "\(getpid())"]
    options += ["--supervisor-pipe", "\(SupervisorPipe.childDescriptor)"]
    if let predecessor {
      options += ["--predecessor-boot", predecessor.boot, "--predecessor-ending", predecessor.ending]
    }
    if !isSpokesman { options.append("--others-speak") }
    if let secondsLeft { options += ["--deadline", "\(secondsLeft)"] }
    return options
  }
}

/// How long to wait before a worker process is started again, in seconds.
package struct RestartPauses: Hashable, Sendable {
  /// After the first crash; doubles with every one in a row.
  package var first = 0.125
  /// Longest of these.
  package var longest = 30.0
  /// After the scratch space took nothing, or the coordinator nobody from this machine: likewise, until they do.
  package var fullFirst = 30.0
  package var fullLongest = 600.0
  /// After a slot was given up.
  package var givenUp = 600.0
  /// A process that lived this long had started well.
  package var soon = 60.0

  package init() {}
}

/// No worker process can be kept alive; prints as a sentence.
package struct LocalWorkersError: Error, Hashable, Sendable, CustomStringConvertible {
  package let lastEnd: String
  package var description: String {
    "no worker process stays alive; the last one \(lastEnd). Its own words are above, if it had any"
  }
}

/// The machine of a local sweep fails point after point, so nothing is left to run it on.
package struct OnlyHostBarred: Error, Hashable, Sendable, CustomStringConvertible {
  package let host: BarredHost
  package var description: String {
    "this sweep stops, since its only machine fails its points: \(host.reason). Its points are kept: check "
      + "memory and processor of the machine and the build of groksweep, then run the sweep again"
  }
}
