// Training that is only a counter: steps, checkpoints now and then, and the ways in which a run goes wrong.
//
// A run goes on from the checkpoint that lies in its folder, at exactly that step, and only if every piece of it is there
// and its own.

import Grokking
import Sweeps

struct SimulatedRun {
  let held: HeldLease
  let point: Int
  var step: Int
  var lastCheckpoint: Int
  let hangs: Bool
  /// A hung thread that does not even stop.
  let isDeaf: Bool
  let failsAt: Int?
  var stop: (asked: Bool, checkpoint: Bool) = (false, false)
}

extension Simulation {
  func startTraining(_ held: HeldLease, _ slot: Int) -> SessionEvent? {
    guard let point = points.number(of: held.point) else { return nil }
    checkStart(held, point, slot)
    let machine = workers[slot].machine
    let place = folder(of: point, slot)
    var step = 0
    if let epoch = machines[machine].folders[place].files.epoch {
      let contents = points.contents(
        point, step: epoch / SimulatedPoints.epochsOfStep, extraBytes: configuration.extraBytes)
      switch machines[machine].folders[place].files.check(contents, of: point) {
      case .whole:
        step = epoch / SimulatedPoints.epochsOfStep
        resumptions += 1
      case .unusable: machines[machine].folders[place].files = SimulatedFiles()
      case .foreign(let what):
        violate("\(name(slot)) would go on from a foreign checkpoint of point \(point): \(what)", .point(point))
      }
    } else {
      machines[machine].folders[place].files = SimulatedFiles()
    }
    tell("\(name(slot)) trains point \(point) from step \(step) under \(held.lease)", .point(point))
    let hangs = strikes(.hang, 0.03)
    if hangs { counts[.hang] += 1 }
    let isBad = machines[machine].isBad
    let fails = isBad || strikes(.engineError, 0.02)
    if isBad { counts[.badMachine] += 1 }
    workers[slot].runs += 1
    workers[slot].run = SimulatedRun(
      held: held, point: point, step: step, lastCheckpoint: step, hangs: hangs, isDeaf: hangs && random.chance(0.3),
      failsAt: fails ? min(step + random.below(6), points.steps[point]) : nil)
    later(machines[machine].stepSeconds, .trains(slot: slot, run: workers[slot].runs))
    return nil
  }

  /// One step of training.
  func train(_ slot: Int, _ number: Int) {
    guard workers[slot].runs == number, let run = workers[slot].run else { return }
    guard now >= workers[slot].suspendedUntil else {
      queue.push(workers[slot].suspendedUntil, .trains(slot: slot, run: number))
      return
    }
    let machine = workers[slot].machine
    if run.stop.asked, !run.isDeaf {
      workers[slot].run = nil
      if run.stop.checkpoint {
        writeCheckpoint(run, slot)
      } else {
        machines[machine].folders.removeAll { $0.holder == slot && $0.point == run.point && $0.result == nil }
      }
      tell(slot, .runStopped(epoch: run.step * SimulatedPoints.epochsOfStep))
      return
    }
    if let failsAt = run.failsAt, run.step >= failsAt {
      if !machines[machine].isBad { counts[.engineError] += 1 }
      workers[slot].run = nil
      machines[machine].folders.removeAll { $0.holder == slot && $0.point == run.point && $0.result == nil }
      tell(slot, .runFailed(.engineError, reason: "simulated"))
    } else if poison.contains(run.point), run.step >= 2 {
      counts[.poison] += 1
      endWorker(slot, "was killed by signal 9 (Killed)", restartAfter: random.within(1...10))
    } else if run.hangs, run.step >= run.lastCheckpoint + 2 {
      later(5, .trains(slot: slot, run: number))
    } else if run.step < points.steps[run.point] {
      workers[slot].run?.step += 1
      later(machines[machine].stepSeconds, .trains(slot: slot, run: number))
      if !run.hangs, run.step + 1 >= run.lastCheckpoint + 4 { writeCheckpoint(workers[slot].run!, slot) }
      tell(slot, .progress(points.progress(run.point, step: run.step + 1), epochsPerSecond: 100))
    } else {
      workers[slot].run = nil
      tell(slot, .runFinished(points.result(run.point), seconds: Double(run.step)))
    }
  }

  private func writeCheckpoint(_ run: SimulatedRun, _ slot: Int) {
    let machine = workers[slot].machine
    guard run.step > 0, !machines[machine].isScratchFull else { return }
    workers[slot].run?.lastCheckpoint = run.step
    let contents = points.contents(run.point, step: run.step, extraBytes: configuration.extraBytes)
    let place = folder(of: run.point, slot)
    machines[machine].folders[place].files.write(contents, of: run.point)
    if strikes(.damage, 0.01) {
      counts[.damage] += 1
      machines[machine].folders[place].files.damage(&random)
    }
    tell(slot, .checkpointWritten(contents))
  }
}
