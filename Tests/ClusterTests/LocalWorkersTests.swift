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

  @Test func `one child at a time says what holds for all, and the next one started when it has died`() throws {
    let fixture = try Fixture(points: 1)
    // Each stops itself; in the place of its name it has what it was told.
    let workers = LocalWorkers(count: 3, executable: "/bin/sh", logger: fixture.logger) { start in
      ["-c", "kill -STOP $$", start.isSpokesman ? "speaks" : "--others-speak"]
    }
    func speaks(_ process: Int32) -> Bool {
      let words = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
      return words.range(of: Data("speaks".utf8)) != nil
    }
    try workers.start()
    let first = workers.processes
    #expect(first.map(speaks) == [true, false, false])
    kill(first[1], SIGKILL)
    _ = Self.watch(workers, until: { workers.processes.count == 3 && workers.processes[1] != first[1] }, fixture)
    #expect(workers.processes.map(speaks) == [true, false, false])
    kill(workers.processes[0], SIGKILL)
    _ = Self.watch(workers, until: { workers.processes.count == 3 && workers.processes[0] != first[0] }, fixture)
    #expect(workers.processes.map(speaks) == [true, false, false])
    workers.stop(graceSeconds: 0, leaveSeconds: 0.1)
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
    let deadline = fixture.deadline
    let error = #expect(throws: LocalWorkersError.self) {
      _ = try sweep.run(store: fixture.store, interrupt: interrupt, logger: fixture.logger) { _ in
        if ContinuousClock.now > deadline { interrupt.request(SIGTERM) }
      }
    }
    #expect(error?.description.contains("no worker process stays alive; the last one exited with code") == true)
    #expect(try fixture.store.summary().pending == 1)
  }

  @Test func `a sweep whose only machine fails point after point ends with words, and its points count no failure`()
    throws
  {
    let fixture = try Fixture(points: 4)
    // A worker that says nothing; in its place speaks this test.
    let program = fixture.folder + "/worker"
    let place = fixture.folder + "/endpoint"
    try "#!/bin/sh\necho \"$3\" > \(place).new; mv \(place).new \(place); exec sleep 600\n"
      .write(toFile: program, atomically: true, encoding: .utf8)
    #expect(chmod(program, 0o700) == 0)
    let sweep = LocalSweep(
      LocalSweep.Configuration(
        workers: 1, executable: program, scratch: fixture.scratch,
        scheduler: SchedulerConfiguration(graceSeconds: 0, hostFailureLimit: 3), overviewSeconds: 0.01))
    let interrupt = try Interrupt()
    let socket = try Socket(Context(), .dealer)
    var isConnected = false
    var unsaid: [WorkerMessage] = [.hello(Hello(try Fixture.identity())), .ready]
    let error = #expect(throws: OnlyHostBarred.self) {
      _ = try sweep.run(store: fixture.store, interrupt: interrupt, logger: fixture.logger) { _ in
        if ContinuousClock.now > fixture.deadline { interrupt.request(SIGTERM) }
        if !isConnected, let text = try? String(contentsOfFile: place, encoding: .utf8) {
          isConnected = (try? socket.connect(text.trimmingCharacters(in: .newlines))) != nil
        }
        guard isConnected else { return }
        while let message = unsaid.first, (try? socket.send(WireCodec.encode(message))) == .queued {
          unsaid.removeFirst()
        }
        while let frames = (try? socket.receive())?.frames {
          if case .grant(let lease, let point, _, _)? = try? WireCodec.decodeCoordinatorMessage(frames) {
            unsaid += [.failed(lease: lease, point: point, .engineError, reason: "nonsense"), .ready]
          }
        }
      }
    }
    #expect(error?.host.host == "test")
    #expect(error?.description.hasPrefix("this sweep stops, since its only machine fails its points: 3 points") == true)
    #expect(try fixture.store.summary().pending == 4)
    let attempts = try fixture.points.flatMap { try fixture.store.story(of: $0.id).attempts }
    #expect(attempts.count == 3 && attempts.allSatisfy { !$0.isCharged })
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

  private static let quick: RestartPauses = {
    var pauses = RestartPauses()
    (pauses.first, pauses.longest) = (0.01, 0.02)
    return pauses
  }()

  @Test func `a process is told how the one before it ended`() throws {
    let fixture = try Fixture(points: 1)
    var starts: [WorkerStart] = []
    let workers = LocalWorkers(count: 1, executable: "/bin/sleep", pauses: Self.quick, logger: fixture.logger) {
      start in
      starts.append(start)
      return ["600"]
    }
    try workers.start()
    kill(try #require(workers.processes.first), SIGKILL)
    let ends = Self.watch(workers, until: { starts.count == 2 }, fixture)
    workers.stop(graceSeconds: 0)
    #expect(starts.count == 2 && starts[0].boot != starts[1].boot)
    #expect(starts[0].predecessor == nil)
    #expect(starts[1].predecessor == Predecessor(boot: starts[0].boot, ending: "killed by signal 9 (Killed)"))
    #expect(ends.map(\.boot) == [starts[0].boot])
    #expect(starts[1].options.contains("killed by signal 9 (Killed)"))
  }

  @Test func `a process that finished points before it crashed is replaced however often it happens`() throws {
    let fixture = try Fixture(points: 1)
    var starts = 0
    let workers = LocalWorkers(count: 1, executable: "/bin/sh", pauses: Self.quick, logger: fixture.logger) { _ in
      starts += 1
      return ["-c", "printf f >&3; kill -9 $$"]
    }
    try workers.start()
    _ = Self.watch(workers, until: { starts > LocalWorkers.crashLimit + 2 }, fixture)
    #expect(starts > LocalWorkers.crashLimit + 2 && !workers.isOver)
    workers.stop(graceSeconds: 0)
  }

  @Test func `a slot that was given up is tried again while others live`() throws {
    let fixture = try Fixture(points: 1)
    var pauses = Self.quick
    pauses.givenUp = 0.05
    var starts = 0
    let workers = LocalWorkers(count: 2, executable: "/bin/sh", pauses: pauses, logger: fixture.logger) { _ in
      starts += 1
      return ["-c", starts == 1 ? "exec sleep 600" : "exit 2"]
    }
    try workers.start()
    _ = Self.watch(workers, until: { starts > LocalWorkers.crashLimit + 2 }, fixture)
    #expect(starts > LocalWorkers.crashLimit + 2 && !workers.isOver && workers.exitCode <= 1)
    #expect(fixture.lines.contains("6 times in a row; its slot is given up"))
    workers.stop(graceSeconds: 0)
  }

  /// The letter that the process says to its supervisor before it ends, and the line that is written about it.
  @Test(arguments: [
    (letter: "s", code: 1, line: "found no room in its scratch space"),
    (letter: "b", code: 75, line: "the coordinator takes nobody from this machine for now"),
  ])
  func `a process without room in its scratch space, or whose machine is barred, is started again and never given up`(
    letter: String, code: Int, line: String
  ) throws {
    let fixture = try Fixture(points: 1)
    var pauses = Self.quick
    (pauses.fullFirst, pauses.fullLongest) = (0.01, 0.02)
    var starts = 0
    let workers = LocalWorkers(count: 1, executable: "/bin/sh", pauses: pauses, logger: fixture.logger) { _ in
      starts += 1
      return ["-c", "printf \(letter) >&3; exit \(code)"]
    }
    try workers.start()
    _ = Self.watch(workers, until: { starts > LocalWorkers.crashLimit + 2 }, fixture)
    #expect(starts > LocalWorkers.crashLimit + 2 && !workers.isOver)
    #expect(fixture.lines.contains(line))
    workers.stop(graceSeconds: 0)
  }

  @Test func `a barred process waits for half a minute at first`() throws {
    let fixture = try Fixture(points: 1)
    var starts = 0
    let workers = LocalWorkers(count: 1, executable: "/bin/sh", logger: fixture.logger) { _ in
      starts += 1
      return ["-c", "printf b >&3; exit 75"]
    }
    try workers.start()
    _ = Self.watch(workers, until: { workers.processes.isEmpty }, fixture)
    #expect(!workers.isOver && starts == 1)
    #expect(fixture.lines.contains("starting another one in 30 s"))
    workers.stop(graceSeconds: 0)
  }

  @Test func `once others were told to leave, none is started again that waited for room`() throws {
    let fixture = try Fixture(points: 1)
    var starts = 0
    let workers = LocalWorkers(count: 2, executable: "/bin/sh", pauses: Self.quick, logger: fixture.logger) { _ in
      starts += 1
      // The second leaves only when the first has: its restart is minutes away.
      return ["-c", starts == 1 ? "printf s >&3; exit 1" : "while [ ! -e \(fixture.folder)/go ]; do sleep 0.02; done"]
    }
    try workers.start()
    let first = try #require(workers.processes.first)
    _ = Self.watch(workers, until: { !workers.processes.contains(first) }, fixture)
    #expect(!workers.isOver)
    #expect(FileManager.default.createFile(atPath: fixture.folder + "/go", contents: nil))
    _ = Self.watch(workers, until: { workers.isOver }, fixture)
    #expect(workers.isOver && workers.exitCode == 0 && starts == 2)
  }

  @Test func `near the deadline no process is started again, and each knows how long it may stay`() throws {
    let fixture = try Fixture(points: 1)
    var starts: [WorkerStart] = []
    let workers = LocalWorkers(
      count: 1, executable: "/bin/sh", secondsLeft: 50, pauses: Self.quick, logger: fixture.logger
    ) { start in
      starts.append(start)
      return ["-c", "exit 2"]
    }
    try workers.start()
    _ = Self.watch(workers, until: { workers.isOver }, fixture)
    #expect(workers.isOver && starts.count == 1)
    let left = try #require(starts.first?.secondsLeft)
    #expect(left > 0 && left <= 50)
    #expect(fixture.lines.contains("so near the deadline"))
  }

  @Test func `a second signal kills the children that have not left`() throws {
    let fixture = try Fixture(points: 1)
    let workers = LocalWorkers(count: 1, executable: "/bin/sh", logger: fixture.logger) { _ in
      ["-c", "trap '' TERM; exec sleep 600"]
    }
    let interrupt = try Interrupt()
    interrupt.request(SIGTERM)
    interrupt.request(SIGTERM)
    #expect(try workers.run(interrupt: interrupt) == 130)
    #expect(workers.isOver)
    #expect(fixture.lines.contains("a second signal: worker processes that have not left are killed"))
  }

  /// Looks after the workers until `done`, or until the fixture's patience is over.
  private static func watch(_ workers: LocalWorkers, until done: () -> Bool, _ fixture: Fixture) -> [WorkerProcessEnd] {
    var ends: [WorkerProcessEnd] = []
    let deadline = fixture.deadline
    while !done(), ContinuousClock.now < deadline {
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
