// `groksweep pause`, `resume` and `cancel`: whether a sweep's points are handed out; `drain`: who takes no more;
// and `admit`: who may come back.

import ArgumentParser
import Cluster
import Foundation
import Sweeps

struct PauseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause",
    abstract: "Hand out no more points of a sweep.",
    discussion: """
      Points under way go on to their end. `groksweep resume` hands out the others again.

        groksweep pause weight-decay --connect tcp://127.0.0.1:5555
      """)

  @Argument(help: "The sweep's name.") var sweep: String
  @OptionGroup var target: Target
  @Flag(help: "One JSON object.") var json = false

  func run() throws { try conclude(try target.ask(.setSweep(sweep, .paused)), json: json) }
}

struct ResumeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume",
    abstract: "Hand out the points of a paused or cancelled sweep again.",
    discussion: """
      With --priority it goes before or after others from now on.

        groksweep resume weight-decay --connect tcp://127.0.0.1:5555
      """)

  @Argument(help: "The sweep's name.") var sweep: String
  @Option(help: "Sweeps of a higher one go first.") var priority: Int?
  @OptionGroup var target: Target
  @Flag(help: "One JSON object.") var json = false

  func run() throws {
    if let priority {
      let reply = try target.ask(.setPriority(sweep: sweep, priority))
      guard case .done = reply else { return try conclude(reply, json: json) }
    }
    try conclude(try target.ask(.setSweep(sweep, .active)), json: json)
  }
}

struct CancelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel",
    abstract: "Stop a sweep: points under way as well.",
    discussion: """
      What is finished stays, and so do checkpoints of points that were under way; points that other sweeps want too \
      go on. `groksweep resume` brings it back.

        groksweep cancel weight-decay --connect tcp://127.0.0.1:5555
      """)

  @Argument(help: "The sweep's name.") var sweep: String
  @OptionGroup var target: Target
  @Flag(help: "One JSON object.") var json = false

  func run() throws { try conclude(try target.ask(.setSweep(sweep, .cancelled)), json: json) }
}

struct DrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drain",
    abstract: "Have workers leave after the points that they train.",
    discussion: """
      A worker by its number, or all of a host, as `groksweep status --connect` lists them.

        groksweep drain 12 --connect tcp://127.0.0.1:5555
        groksweep drain lab2 --connect tcp://127.0.0.1:5555
      """)

  @Argument(help: "A worker's number, or a host's name.") var worker: String
  @OptionGroup var connection: Connection
  @Flag(help: "One JSON object.") var json = false

  func run() throws {
    guard let client = try connection.client() else {
      throw ValidationError("give --connect ADDRESS: only a running coordinator has workers")
    }
    try conclude(try client.ask(.drain(worker: worker)), json: json)
  }
}

struct AdmitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "admit",
    abstract: "Take a machine back that was sent home after failure upon failure.",
    discussion: """
      It would be tried again by itself, after ten minutes at first and up to six hours later on; `groksweep status \
      --connect` tells how long still, and why.

        groksweep admit lab2 --connect tcp://127.0.0.1:5555
      """)

  @Argument(help: "The host's name.") var host: String
  @OptionGroup var connection: Connection
  @Flag(help: "One JSON object.") var json = false

  func run() throws {
    guard let client = try connection.client() else {
      throw ValidationError("give --connect ADDRESS: only a running coordinator keeps machines out")
    }
    try conclude(try client.ask(.admit(host: host)), json: json)
  }
}
