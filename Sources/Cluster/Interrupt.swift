// Signals as a flag that loops look at: the first one asks for an orderly end, the second one ends the process now, or
// says that it is urgent.
//
// The handler does nothing but what POSIX allows in one: it stores a number, writes to an eventfd or to stderr, or calls _exit.

import Foundation
import Synchronization
import ZeroMQ

/// Somebody wants this process to end. Loops wait on `waker` and look at `signal`.
package final class Interrupt: Sendable {
  /// Woken by a signal, and by whoever else has news for the same loop.
  package let waker: Waker
  private let requested = Atomic<Int32>(0)
  private let requestedAgain = Atomic<Bool>(false)
  private let catching = Atomic<Bool>(false)

  package init() throws(ZeroMQError) { waker = try Waker() }

  /// The signal that asked first (SIGINT, SIGTERM or SIGHUP); nil while nobody has.
  package var signal: Int32? {
    let own = requested.load(ordering: .acquiring)
    if own != 0 { return own }
    let caught = catching.load(ordering: .relaxed) ? caughtSignal.load(ordering: .acquiring) : 0
    return caught == 0 ? nil : caught
  }

  /// Whether somebody asked a second time.
  package var isUrgent: Bool {
    requestedAgain.load(ordering: .acquiring)
      || catching.load(ordering: .relaxed) && caughtAgain.load(ordering: .acquiring)
  }

  /// As if the signal had come.
  package func request(_ signal: Int32) {
    let (first, _) = requested.compareExchange(expected: 0, desired: signal, ordering: .acquiringAndReleasing)
    if !first { requestedAgain.store(true, ordering: .releasing) }
    waker.wake()
  }

  /// Waits so long, or until somebody wants an end, or has news.
  package func wait(seconds: Double) throws {
    try Poller.wait([], waker: waker, timeout: .milliseconds(Int((1000 * seconds).rounded(.up))))
  }

  /// From now on SIGINT, SIGTERM and SIGHUP end up here, and SIGPIPE is ignored (writes report the closed pipe). A SIGHUP
  /// that was ignored at the start (nohup) stays so. Once per process.
  ///
  /// - Parameter secondExits: whether the second signal exits with code 130 at once; if not, it makes this urgent, for
  ///   whoever has children to end first.
  package func catchSignals(secondExits: Bool = true) {
    secondSignalExits.store(secondExits, ordering: .sequentiallyConsistent)
    // A signal may come at any time, so the eventfd must never be closed, let alone become another file.
    _ = Unmanaged.passRetained(self)
    wakeDescriptor.store(waker.descriptor, ordering: .sequentiallyConsistent)
    caughtAgain.store(false, ordering: .sequentiallyConsistent)
    catching.store(true, ordering: .sequentiallyConsistent)
    var ignore = sigaction()
    ignore.__sigaction_handler.sa_handler = SIG_IGN
    sigaction(SIGPIPE, &ignore, nil)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { number in
      let (first, _) = caughtSignal.compareExchange(
        expected: 0, desired: number, ordering: .sequentiallyConsistent)
      if !first {
        if secondSignalExits.load(ordering: .relaxed) {
          write(STDERR_FILENO, wordsOfSecond.utf8Start, wordsOfSecond.utf8CodeUnitCount)
          _exit(130)
        }
        caughtAgain.store(true, ordering: .sequentiallyConsistent)
      }
      Waker.wake(wakeDescriptor.load(ordering: .relaxed))
    }
    sigemptyset(&action.sa_mask)
    // Whoever started us may have had them blocked (threads of libdispatch do), and a mask is inherited.
    var wanted = sigset_t()
    sigemptyset(&wanted)
    for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&wanted, number) }
    pthread_sigmask(SIG_UNBLOCK, &wanted, nil)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      var before = sigaction()
      sigaction(number, nil, &before)
      if number == SIGHUP, unsafeBitCast(before.__sigaction_handler.sa_handler, to: Int.self) == 1 { continue }
      sigaction(number, &action, nil)
    }
  }
}

// A signal handler captures nothing, so what it needs is global. All are touched before a handler can run.
private let caughtSignal = Atomic<Int32>(0)
private let caughtAgain = Atomic<Bool>(false)
private let secondSignalExits = Atomic<Bool>(true)
private let wakeDescriptor = Atomic<Int32>(-1)
private let wordsOfSecond: StaticString = "\ngroksweep: a second signal: ended at once; what was stored before stays\n"
