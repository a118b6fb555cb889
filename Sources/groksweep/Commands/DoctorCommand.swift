// `groksweep doctor`: what keeps this machine from working for a coordinator, or from being one, and what to fix.

import ArgumentParser
import Cluster
import Foundation
import Reports
import Results
import Sweeps

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Look for what keeps this machine from working, and say what to fix.",
    discussion: """
      Looks at the processor, cores, memory, disks, and with --connect or --join at the way to the coordinator: name, port, \
      what answers there, the key, the versions. Changes nothing; the coordinator's log may have a line about it. Ends with \
      1 when there is a problem.

        groksweep doctor --join lab2.join
        groksweep doctor --store wd.sqlite
      """)

  @Option(help: "A coordinator's address, as it printed it (default: the join file's).") var connect: String?
  @Option(help: "The join file that is to let this machine in.") var join: String?
  @Flag(help: "The other machine's coordinator is to be used without keys.") var insecure = false
  @Option(help: "A store that this machine is to coordinate.") var store: String?
  @Option(help: "The workers' folder for checkpoints (default: in ~/.cache/groksweep).") var scratch: String?
  @Option(help: "Worker processes that are to run here (default: one per core).") var slots: Int?
  @Flag(help: "One JSON object.") var json = false

  func validate() throws {
    if join != nil && insecure { throw ValidationError("give --join or --insecure, not both") }
    if let slots, !(1...1024).contains(slots) {
      throw ValidationError("--slots \(slots): give a number from 1 to 1024")
    }
  }

  func run() throws {
    var doctor = Doctor(
      scratch: scratch ?? WorkerShell.defaultScratch, slots: slots ?? MachineLimits.here.allowedCores)
    (doctor.connect, doctor.join, doctor.isInsecure, doctor.store) = (connect, join, insecure, store)
    doctor.kernelName = forcedKernels
    let diagnosis = doctor.examine { if !json { Console.print(DoctorPage.line($0)) } }
    Console.print(json ? try jsonLine(diagnosis) : DoctorPage.sentence(diagnosis))
    if diagnosis.problems > 0 { throw ExitStatus.failed.thrown }
  }
}
