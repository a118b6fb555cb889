// Looks at what a worker, or a command that asks a coordinator, needs: this machine first, then its disks, then the way to
// the coordinator from the name to the versions. Repairs nothing, leaves nothing behind, and joins nothing.
//
// Each check is a value with its outcome; a check that stands on one with a problem is skipped, so that one cause gives
// one problem.

import Foundation
import Kernels
import Sweeps

package struct Doctor {
  package var connect: String?
  /// The path of a join file.
  package var join: String?
  package var isInsecure = false
  /// The path of a store, when this machine is to coordinate.
  package var store: String?
  package var scratch: String
  /// Worker processes that are to run here.
  package var slots: Int
  /// Of the environment: a kernel path to force.
  package var kernelName: String?
  /// For each step of the way to the coordinator.
  package var seconds = 5.0

  package init(scratch: String, slots: Int) {
    self.scratch = scratch
    self.slots = slots
  }

  /// - Parameter note: called after each check.
  package func examine(note: (DoctorCheck) -> Void) -> Diagnosis {
    var checks: [DoctorCheck] = []
    func add(_ check: DoctorCheck) {
      checks.append(check)
      note(check)
    }
    for check in kernels() { add(check) }
    add(DoctorCheck(.clock, Self.clock()))
    add(DoctorCheck(.cores, MachineLimits.here.cores(for: slots)))
    add(DoctorCheck(.memory, MachineLimits.here.memory(for: slots)))
    add(DoctorCheck(.openFiles, MachineLimits.here.files(isCoordinating: store != nil)))
    add(DoctorCheck(.scratch, DoctorDisk.scratch(scratch, slots: slots)))
    if let store { add(DoctorCheck(.store, DoctorDisk.store(store))) }
    if connect != nil || join != nil {
      DoctorConnection(connect: connect, join: join, isInsecure: isInsecure, seconds: seconds).examine(note: add)
    }
    return Diagnosis(checks)
  }

  private func kernels() -> [DoctorCheck] {
    let path: KernelPath
    do {
      path = try KernelPath.choose(named: kernelName)
    } catch {
      return [
        DoctorCheck(
          .kernels, .problem("\(error)", fix: "unset GROKSWEEP_KERNELS, or name a path that this machine has")),
        DoctorCheck(.selfTest, .skipped("there are no kernels to test")),
      ]
    }
    return [DoctorCheck(.kernels, .ok(path.rawValue)), DoctorCheck(.selfTest, Self.selfTest(path))]
  }

  private static func selfTest(_ path: KernelPath) -> DoctorCheck.Outcome {
    let fix =
      "check this machine's memory and processor, and reinstall groksweep; a coordinator takes no results from it"
    do {
      let digest = try SelfTest.run(path)
      guard digest == SelfTest.digest else {
        return .problem(
          "its digest is \(digest.prefix(12)) on \(path.rawValue), and \(SelfTest.digest.prefix(12)) is right: this machine or "
            + "build computes wrongly", fix: fix)
      }
      return .ok("a tiny run on \(path.rawValue) has the right digest, \(digest.prefix(12))")
    } catch {
      return .problem("it could not be run: \(error)", fix: fix)
    }
  }

  /// Many looks at the clock that all waiting times are measured with.
  private static func clock() -> DoctorCheck.Outcome {
    let began = MonotonicInstant.now
    var (last, looks) = (began, 0)
    while looks < 10_000 || last == began && looks < 10_000_000 {
      let now = MonotonicInstant.now
      guard now >= last else {
        return .problem("the monotonic clock went back", fix: "check this machine's (or its hypervisor's) clock source")
      }
      (last, looks) = (now, looks + 1)
    }
    guard last > began else {
      return .problem(
        "the monotonic clock stands still", fix: "check this machine's (or its hypervisor's) clock source")
    }
    return .ok("the monotonic clock goes forward; no machine's clock needs to agree with another's")
  }
}
