// `groksweep top`: sweeps, machines, running points and failures on one screen, refreshed while it is looked at.

import ArgumentParser
import Cluster
import Foundation
import Reports
import Results
import Sweeps

struct TopCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "top",
    abstract: "Watch sweeps, machines and running points on one screen.",
    discussion: """
      Of a running coordinator (--connect, --join), with losses and speeds; or of a store on this machine, as the coordinator \
      noted it there last. q ends it, p holds the screen still. In a pipe it prints one screen.

        groksweep top --connect tcp://127.0.0.1:5555
        groksweep top --store weight-decay.sqlite
      """)

  @Option(help: "The store. May be left out when the working folder holds just one.") var store: String?
  @OptionGroup var connection: Connection
  @Option(help: "Seconds between two looks.") var interval = 1.0
  @Flag(help: "Print one screen and end.") var once = false

  func validate() throws {
    if connection.isGiven && store != nil { throw ValidationError("give --connect or --store, not both") }
    guard (0.1...3600).contains(interval) else {
      throw ValidationError("--interval \(interval): give seconds from 0.1 to 3600")
    }
  }

  func run() throws {
    let isTerminal = isatty(1) == 1
    let environment = ProcessInfo.processInfo.environment
    let isColored =
      isTerminal && environment["TERM"] != "dumb" && (environment["NO_COLOR"] ?? "").isEmpty
    let first = try source()()
    guard isTerminal, isatty(0) == 1, environment["TERM"] != "dumb", !once else {
      let columns = isTerminal ? Terminal.size(of: 1).columns : environment["COLUMNS"].flatMap { Int($0) } ?? 100
      for line in TopScreen(first).lines(columns: max(20, columns)) {
        Console.print(TerminalText.text(line, isColored: isColored))
      }
      return
    }
    try watch(first, isColored)
  }

  /// Asks the coordinator, or looks into the store; each call gives how things stand.
  private func source() throws -> () throws -> CoordinatorStatus {
    if let client = try connection.client() {
      return {
        switch try client.ask(.status) {
        case .answer(let text): return try parseJSON(CoordinatorStatus.self, from: text)
        case .done(let words), .failed(let words, _): throw Failure(words, .failed)
        case .notAllowed(let words): throw Failure(words, .notAllowed)
        }
      }
    }
    let results = try Store(path: try store ?? onlyStoreHere(), mode: .readOnly)
    return { try results.standing(at: Date()) }
  }

  private func watch(_ first: CoordinatorStatus, _ isColored: Bool) throws {
    let interrupt = try Interrupt()
    interrupt.catchSignals()
    let feed = try TopFeed(everySeconds: interval) { try source() }
    let terminal = try Terminal()
    var (status, since) = (first, ContinuousClock.now)
    var trouble: String?
    var isHeld = false
    while interrupt.signal == nil {
      if !isHeld {
        switch feed.take() {
        case .status(let new)?: (status, since, trouble) = (new, .now, nil)
        case .trouble(let words)?: trouble = words
        case nil: break
        }
      }
      let age = (ContinuousClock.now - since) / .seconds(1)
      let remark = trouble.map { "as of \(Wording.duration(seconds: age)) ago: \($0)" }
      let size = terminal.size
      let footer = isHeld ? "held still   p go on   q quit" : "q quit   p hold still"
      let lines = TopScreen(status, remark: remark).lines(columns: size.columns, rows: size.rows, footer: footer)
      terminal.draw(TerminalText.screen(lines, isColored: isColored))
      for key in terminal.keys(or: isHeld ? -1 : feed.waker.descriptor, milliseconds: 1000) {
        switch key {
        case UInt8(ascii: "q"), UInt8(ascii: "Q"): return
        case UInt8(ascii: "p"), UInt8(ascii: " "): isHeld.toggle()
        default: break
        }
      }
    }
    if interrupt.signal == SIGINT { throw ExitStatus.interrupted.thrown }
  }
}
