// The supervisor with real child processes: plain system programs that end in the ways that workers do.

import Cluster
import Foundation
import Sweeps
import Testing
import ZeroMQ

@Suite struct LocalWorkersTests {
  @Test func `children that leave in order are not replaced`() throws {
    let fixture = try Fixture(points: 1)
    let workers = LocalWorkers(count: 2, executable: "/bin/sh", logger: fixture.logger) { _ in ["-c", "exit 0"] }
    try workers.start()
    let ends = Self.watch(workers, until: { workers.isOver }, fixture)
    #expect(ends.map(\.ending) == [.exited(code: 0), .exited(code: 0)])
    #expect(workers.exitCode == 0)
  }

  @Test func `a killed child is reported with its signal and replaced`() throws {
    let fixture = try Fixture(points: 1)
    let workers = LocalWorkers(count: 1, executable: "/bin/sleep", logger: fixture.logger) { _ in ["600"] }
    try workers.start()
    let first = try #require(workers.processes.first)
    // Its own process group: Ctrl-C at the terminal does not reach it.
    #expect(getpgid(first) == first)
    kill(first, SIGKILL)
    let ends = Self.watch(workers, until: { workers.processes.contains { $0 != first } }, fixture)
    #expect(ends.map(\.process) == [first])
    #expect(ends.map(\.ending) == [.killed(signal: SIGKILL)])
    #expect(ends.first?.ending.description == "killed by signal 9 (Killed)")
    workers.stop(graceSeconds: 0)
    #expect(workers.isOver)
  }

  @Test func `a child that ignores the request to leave is killed`() throws {
    let fixture = try Fixture(points: 1)
    // The shell ignores SIGTERM, and so does the program that it becomes.
    let workers = LocalWorkers(count: 1, executable: "/bin/sh", logger: fixture.logger) { _ in
      ["-c", "trap '' TERM; exec sleep 600"]
    }
    try workers.start()
    let process = try #require(workers.processes.first)
    _ = Self.watch(workers, until: { Self.ignoresTerm(process) }, fixture)
    workers.stop(graceSeconds: 0, leaveSeconds: 0.1)
    #expect(workers.isOver)
    #expect(fixture.lines.contains("does not leave; killing it"))
  }

  @Test func `a sweep whose workers crash at once ends with words, and its store is whole`() throws {
    let fixture = try Fixture(points: 1)
    let sweep = LocalSweep(
      LocalSweep.Configuration(workers: 4, executable: "/bin/sh", scratch: fixture.scratch))
    // The shell takes "worker" for a script that is not there and exits with 2 or 127: a crash, as workers go.
    let interrupt = try Interrupt()
    let error = #expect(throws: LocalWorkersError.self) {
      _ = try sweep.run(store: fixture.store, interrupt: interrupt, logger: fixture.logger) { _ in
        if ContinuousClock.now > fixture.deadline { interrupt.request(SIGTERM) }
      }
    }
    #expect(error?.description.contains("no worker process stays alive; the last one exited with code") == true)
    #expect(try fixture.store.summary().pending == 1)
  }

  @Test func `a program that is not there is named`() throws {
    let fixture = try Fixture(points: 1)
    let workers = LocalWorkers(count: 1, executable: "/no/such/program", logger: fixture.logger) { _ in [] }
    let error = #expect(throws: SpawnError.self) { try workers.start() }
    #expect(error?.description == "cannot start /no/such/program: No such file or directory")
  }

  @Test func `the supervisor's command ends with its interrupt, and its children with it`() throws {
    let fixture = try Fixture(points: 1)
    let workers = LocalWorkers(count: 2, executable: "/bin/sleep", logger: fixture.logger) { _ in ["600"] }
    let interrupt = try Interrupt()
    interrupt.request(SIGINT)
    #expect(try workers.run(interrupt: interrupt) == 130)
    #expect(workers.isOver)
  }

  @Test func `the supervisor asks each child to leave once, since a second time would mean at once`() throws {
    let fixture = try Fixture(points: 1)
    let told = fixture.folder + "/told"
    let script = """
      trap 'echo >> \(told)' TERM; touch \(told); while [ ! -s \(told) ]; do sleep 0.02; done; sleep 0.2
      """
    let workers = LocalWorkers(count: 1, executable: "/bin/sh", logger: fixture.logger) { _ in ["-c", script] }
    let interrupt = try Interrupt()
    let deadline = fixture.deadline
    let person = Thread {
      while access(told, F_OK) != 0, ContinuousClock.now < deadline { usleep(5000) }
      interrupt.request(SIGTERM)
    }
    person.start()
    #expect(try workers.run(interrupt: interrupt) == 0)
    #expect(try String(contentsOfFile: told, encoding: .utf8) == "\n")
  }

  /// Looks after the workers until `done`, or until the fixture's deadline.
  private static func watch(_ workers: LocalWorkers, until done: () -> Bool, _ fixture: Fixture) -> [WorkerProcessEnd] {
    var ends: [WorkerProcessEnd] = []
    while !done(), ContinuousClock.now < fixture.deadline {
      ends += workers.check()
      try? Poller.wait([], timeout: .milliseconds(5))
    }
    return ends
  }

  private static func ignoresTerm(_ process: Int32) -> Bool {
    let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
    let ignored = status.split(separator: "\n").first { $0.hasPrefix("SigIgn:") }?.dropFirst(7)
    let mask = ignored.flatMap { UInt64($0.trimmingCharacters(in: .whitespaces), radix: 16) } ?? 0
    return mask & (1 << UInt64(SIGTERM - 1)) != 0
  }
}
