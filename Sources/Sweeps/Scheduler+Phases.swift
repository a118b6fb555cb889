// From serving to done: drain, shutdown, and the end of the sweep.

import Grokking

extension Scheduler {
  mutating func drain(_ reason: String) {
    guard phase == .serving else { return }
    phase = .draining
    log(.info, "draining: \(reason); running points go on to their end")
    for number in workerNumbers.elements where workers[number]?.isWaiting == true { sendLeave(to: number) }
  }

  mutating func shutdown(_ reason: String) {
    if case .leaving(.shutDown, _) = phase { return }
    log(.info, "shutting down: \(reason); workers hand their points back")
    leave(.shutDown(stillHeld: 0))
  }

  mutating func sendLeave(to number: Int64) { send(.leave, to: number) }

  private mutating func leave(_ ending: SchedulerEnding) {
    var until = now.advanced(bySeconds: configuration.leaveSeconds)
    if misses(ending) {
      until = max(until, missedUntil)
      log(
        .info,
        "everything is done; up to \(missed.count) workers of an earlier coordinator have "
          + "\(Int(missedUntil.seconds(since: now).rounded(.up))) s to come back and be sent home")
    }
    phase = .leaving(ending, until: until)
    for number in workerNumbers.elements { sendLeave(to: number) }
  }

  /// Whether workers of an earlier coordinator are waited for, to be told that all is done. Whoever shuts down does not.
  func misses(_ ending: SchedulerEnding) -> Bool {
    ending == .everyPointTerminal && !missed.isEmpty && now < missedUntil
  }

  /// Points of cancelled sweeps are settled too, and what is to be compared has been.
  private var isComplete: Bool { points.isSettled && verifications.isEmpty }

  /// A sweep came, or came back, while everyone was being sent home.
  private var hasNewWork: Bool { points.nextPending() != nil || !verifications.isEmpty }

  /// Looks whether the sweep, the draining or the leaving is over.
  mutating func advancePhase() {
    if phase == .serving, configuration.exitWhenDone, isComplete {
      leave(.everyPointTerminal)
    } else if phase == .draining, leases.isEmpty, points.total.storing == 0 {
      leave(.drained)
    } else if case .leaving(.everyPointTerminal, _) = phase, hasNewWork {
      log(.info, "there is more to do: handing out points again")
      phase = .serving
    }
    guard case .leaving(let ending, let until) = phase else { return }
    guard (workers.isEmpty && points.total.storing == 0 && !misses(ending)) || now >= until else { return }
    phase = .finished
    if case .shutDown = ending, !isComplete {
      let held = leases.elements.count { attempts[$0]?.phase == .running }
      emit(.finished(.shutDown(stillHeld: held)))
    } else {
      emit(.finished(isComplete ? .everyPointTerminal : ending))
    }
  }
}
