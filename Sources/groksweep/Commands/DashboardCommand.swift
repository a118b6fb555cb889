// `groksweep dashboard`: a store's present as pages in a browser. Reads only.

import ArgumentParser
import Cluster
import Dashboard
import Foundation
import Logging
import Results
import Synchronization

struct DashboardCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dashboard",
    abstract: "Show a store in the browser, while a sweep writes it and after.",
    discussion: """
      Serves pages that follow the store by themselves: sweeps and how far they are, the phase diagram filling in, running \
      points, machines, failures, and the figures of every run. Reads the store and never writes it. Ends with Ctrl-C.

      On 127.0.0.1 everyone on this machine may look; elsewhere, who has the token in the address that is printed.

        groksweep dashboard --store weight-decay.sqlite
        groksweep dashboard --store weight-decay.sqlite --listen 127.0.0.1:0
      """)

  @Option(help: "The store. May be left out when the working folder holds just one.") var store: String?
  @Option(help: "Where to listen (port 0: a free one).") var listen = ListenAddress.usual
  @Flag(help: "Ask for a token on 127.0.0.1 too: others use this machine.") var token = false
  @Flag(help: .hidden) var endWithInput = false

  func validate() throws { _ = try address }

  private var address: ListenAddress { get throws { try DashboardAddress.parse(listen, option: "--listen") } }

  func run() throws {
    let address = try address
    let path = try store ?? onlyStoreHere()
    // A store that cannot be read now may be there later, and a dashboard that was asked for by a sweep starts before it.
    if !endWithInput { _ = try Store(path: path, mode: .watching) }
    if endWithInput { InputEnd.exitsWithIt() }
    FileLimit.raise()
    let logger = Logger(onto: Screen(isLive: false), from: .warning)
    let glance = CheckpointGlance(store: path)
    let site = Site(
      store: path, unfinished: UnfinishedRuns(stamp: glance.stamp, curve: glance.curve), logger: logger)
    let server = DashboardServer(
      site, at: address, token: token || !address.isLoopback ? Access.newToken() : nil, logger: logger)
    try runUntilSignal { [endWithInput] in
      try await server.run { access in
        // The process that started this one reads the address; a person reads the sentence.
        if endWithInput { Console.print(access.url) } else { Console.remark("\(path): dashboard at \(access.url)") }
      }
    }
  }

  /// Runs `serve` to its end, or until somebody asks for one.
  private func runUntilSignal(_ serve: @escaping @Sendable () async throws -> Void) throws {
    let interrupt = try Interrupt()
    interrupt.catchSignals()
    let outcome = Mutex<Result<Void, any Error>?>(nil)
    let task = Task.detached {
      do {
        try await serve()
        outcome.withLock { $0 = .success(()) }
      } catch {
        outcome.withLock { $0 = .failure(error) }
      }
      interrupt.waker.wake()
    }
    while interrupt.signal == nil {
      if let end = outcome.withLock({ $0 }) { return try end.get() }
      try interrupt.wait(seconds: 3600)
    }
    task.cancel()
  }
}
