// The dashboard beside a sweep or a coordinator: the same program as a process of its own, of lower priority, so that nothing
// that is done for browsers is done in the coordinator. It ends when the pipe on its stdin does, which is when this process
// ends, however that happens.

import ArgumentParser
import Cluster
import Dashboard
import Foundation

/// `--dashboard [ADDRESS]`.
struct DashboardOptions: ParsableArguments {
  @Option(
    name: .customLong("dashboard"), defaultAsFlag: ListenAddress.usual,
    help: ArgumentHelp(
      "Show the sweep in the browser, at this address (default \(ListenAddress.usual); port 0: a free one).",
      valueName: "address"))
  var address: String?

  func validate() throws { if let address { _ = try DashboardAddress.parse(address, option: "--dashboard") } }

  /// Nil when nobody asked for one. Keep it while the sweep runs.
  func start(store: String, screen: Screen) throws -> DashboardProcess? {
    guard let address else { return nil }
    return try DashboardProcess(store: store, address: address, screen: screen)
  }
}

enum DashboardAddress {
  static func parse(_ text: String, option: String) throws -> ListenAddress {
    if let address = ListenAddress(text) { return address }
    throw ValidationError(
      "\(option) \(text): write an address of this machine in numbers and a port, as in \(ListenAddress.usual)"
        + (option == "--dashboard" ? "; a file's name stands before \(option)" : ""))
  }
}

final class DashboardProcess {
  private let process: pid_t
  /// Closed by the end of this process at the latest.
  private let lifeline: Int32

  /// Starts it, and says on `screen` where it is.
  ///
  /// - Throws: `Failure` when it does not listen; its own words are on stderr then.
  init(store: String, address: String, screen: Screen) throws {
    var (input, output): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
    guard pipe(&input) == 0, pipe(&output) == 0 else {
      throw Failure("the dashboard cannot be started: too many files are open", .failed)
    }
    // Workers that are started later must not hold this end open.
    for end in input + output { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    lifeline = input[1]
    defer { for end in [input[0], output[0]] { close(end) } }
    do {
      defer { close(output[1]) }
      process = try ChildProcess.start(
        ownExecutable(), ["dashboard", "--store", store, "--listen", address, "--end-with-input"],
        streams: ChildProcess.Streams(input: input[0], output: output[1], errors: 2))
    } catch {
      close(lifeline)
      throw error
    }
    guard let url = Self.firstLine(of: output[0]) else {
      close(lifeline)
      throw Failure("--dashboard \(address): there is no dashboard, so no run was started", .failed)
    }
    screen.remark("dashboard at \(url)")
  }

  deinit {
    close(lifeline)
    // It ends by itself; waited for, so that its port is free when the command has ended.
    for _ in 0..<100 where ChildProcess.reap(process) == nil { usleep(10_000) }
  }

  /// Nil when the other end closes before it has written one.
  private static func firstLine(of descriptor: Int32) -> String? {
    var bytes: [UInt8] = []
    var byte: UInt8 = 0
    while bytes.count < 4096 {
      let count = read(descriptor, &byte, 1)
      if count < 0 && errno == EINTR { continue }
      guard count == 1 else { return nil }
      if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(byte)
    }
    return nil
  }
}

/// The other side of it.
enum InputEnd {
  /// From now on this process ends when nobody holds the other end of its stdin any more, and gives way to all others.
  static func exitsWithIt() {
    _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
    Thread.detachNewThread {
      var byte: UInt8 = 0
      while true {
        let count = read(0, &byte, 1)
        if count == 0 || (count < 0 && errno != EINTR) { _exit(0) }
      }
    }
  }
}
