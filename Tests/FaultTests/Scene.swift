// A sweep of real processes in a folder of its own: who plays, what is waited for, and what has to hold in the end.

import Foundation
import TestSupport
import Testing

/// Something that was waited for did not come; prints with the last words of everybody.
struct Trouble: Error, CustomStringConvertible {
  let description: String
}

final class Scene {
  let sweep: FaultSweep
  let folder: Folder
  /// Relative to the folder.
  let store: String
  private let seed: UInt64?
  private var cast: [(name: String, process: Running)] = []

  /// `seed` is of the moments that the scene draws, for its failures to name.
  init(_ sweep: FaultSweep = Form.sweep, store: String = "s.sqlite", seed: UInt64? = nil) throws {
    self.sweep = sweep
    self.store = store
    self.seed = seed
    folder = try Folder()
    try folder.write(sweep.text, to: "faults.yaml")
  }

  deinit {
    for process in Processes.naming(folder.url.path) { kill(process, SIGKILL) }
    _ = waitUntil(30) { Processes.naming(folder.url.path).isEmpty }
  }

  var socket: String { "ipc://\(folder.path("c"))" }

  /// - Parameter place: what starts the program somewhere else, such as `ip netns exec NAME`.
  func coordinator(
    leaseSeconds: Int, at endpoint: String? = nil, in place: [String] = [], _ further: [String] = []
  ) throws -> Running {
    let arguments = [
      "coordinator", folder.path("faults.yaml"), "--store", folder.path(store), "--bind", endpoint ?? socket,
      "--exit-when-done", "--lease-seconds", "\(leaseSeconds)",
    ]
    return try start("coordinator", place + [Groksweep.path] + arguments + further)
  }

  /// - Parameter scratch: relative to the folder; workers that share it are on one machine.
  func worker(
    slots: Int = 1, at endpoint: String? = nil, scratch: String = "scratch", in place: [String] = [],
    _ further: [String] = []
  ) throws -> Running {
    let arguments = [
      "worker", "--connect", endpoint ?? socket, "--slots", "\(slots)", "--scratch", folder.path(scratch),
    ]
    return try start("worker", place + [Groksweep.path] + arguments + further)
  }

  func start(_ name: String, _ words: [String]) throws -> Running {
    let program = words[0].hasPrefix("/") ? words : ["/usr/bin/env"] + words
    let process = try Running(program[0], Array(program.dropFirst()), in: folder)
    cast.append(("\(name), process \(process.processID)", process))
    return process
  }

  /// Kills as `kill -9` does, and waits until nothing of the process is left.
  func kill9(_ process: Running) throws {
    process.signal(SIGKILL)
    _ = try process.end(within: 60)
  }

  // MARK: waiting

  /// Deadlines are many times what is normal: machines that build meanwhile are slow.
  func wait(for what: String, within seconds: Double = 180, _ condition: () throws -> Bool) throws {
    if try waitUntil(seconds, condition) { return }
    throw Trouble(description: "waited \(seconds) s in vain for this: \(what)\n\(story)")
  }

  /// The number that a query gives; nil while there is no store that could answer.
  func number(_ sql: String) -> Int? {
    guard FileManager.default.fileExists(atPath: folder.path(store)) else { return nil }
    return (try? folder.query(store, sql))?.first.flatMap { Int($0) }
  }

  func waitForRuns(_ count: Int) throws {
    try wait(for: "\(count) points have a result") { number("SELECT count(*) FROM runs") ?? 0 >= count }
  }

  /// That the worker process trains a point, for the store.
  func waitForLease(of worker: Running) throws {
    try wait(for: "worker process \(worker.processID) has a point") {
      guard worker.isRunning else { throw Trouble(description: "process \(worker.processID) has ended\n\(story)") }
      return number(
        """
        SELECT count(*) FROM attempts JOIN workers USING (worker)
        WHERE class = 'open' AND process_id = \(worker.processID)
        """) == 1
    }
  }

  func waitForWord(_ word: String, of process: Running, after: Int = 0, within seconds: Double = 180) throws {
    try wait(for: "process \(process.processID) says \"\(word)\"", within: seconds) {
      process.errors.dropFirst(after).contains(word)
    }
  }

  /// How long a trouble lasts, not a wait for its end.
  func pause(_ seconds: Int, because what: String) throws {
    let since = ContinuousClock.now
    try wait(for: "\(what) for \(seconds) s") { ContinuousClock.now - since > .seconds(seconds) }
  }

  // MARK: the end

  /// The sweep comes to its end, everyone leaves in good order, and everything holds.
  ///
  /// - Parameter classes: what attempts may have ended as, besides `finished`.
  func finish(
    _ coordinator: Running, _ workers: [Running], classes: Set<String>, within seconds: Double = 600,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    for process in [coordinator] + workers {
      try wait(for: "process \(process.processID) ends", within: seconds) { !process.isRunning }
      let status = try process.end(within: 1).status
      #expect(status == 0, "process \(process.processID)\n\(story)", sourceLocation: sourceLocation)
    }
    try check(classes: classes, sourceLocation: sourceLocation)
  }

  func check(classes: Set<String>, sourceLocation: SourceLocation = #_sourceLocation) throws {
    func expect(_ holds: Bool, _ words: String) {
      if !holds { Issue.record("\(words)\n\(story)", sourceLocation: sourceLocation) }
    }
    let difference = try Rows(of: store, in: folder).difference(from: sweep.undisturbedRows())
    expect(difference == nil, "rows differ from those of the undisturbed sweep: \(difference ?? "")")
    let runs = try folder.query(store, "SELECT count(*), count(DISTINCT point) FROM runs")
    expect(runs == ["\(sweep.points)|\(sweep.points)"], "runs: \(runs)")
    let violations = try folder.query(store, "SELECT * FROM violations")
    expect(violations.isEmpty, "violations: \(violations)")
    let attempts = try folder.query(store, "SELECT class, count(*) FROM attempts GROUP BY class")
    let ended = attempts.map { String($0.prefix { $0 != "|" }) }
    expect(Set(ended).isSubset(of: classes.union(["finished"])), "attempts ended as \(attempts)")
    let delivered = number("SELECT count(DISTINCT point) FROM attempts WHERE delivered")
    expect(delivered == sweep.points, "\(delivered ?? -1) points have the attempt that brought their result")
    expect(try folder.query(store, "PRAGMA integrity_check") == ["ok"], "the store is damaged")
    expect(
      waitUntil(30) { Processes.naming(folder.url.path).isEmpty },
      "processes are left: \(Processes.naming(folder.url.path))")
    for name in try folder.names() where name.hasPrefix("scratch") {
      let left = try FileManager.default.contentsOfDirectory(atPath: folder.path(name))
      expect(left.isEmpty, "\(name) still has \(left)")
    }
  }

  /// Who said what, the last of it, and what became of the attempts.
  var story: String {
    var lines = [seed.map { "seed \($0)" } ?? "no seed"]
    for (name, process) in cast {
      lines.append("--- \(name)\(process.isRunning ? ", running" : "")")
      lines += process.errors.split(separator: "\n").suffix(25).map(String.init)
    }
    lines.append("--- attempts")
    lines += (try? folder.query(store, "SELECT * FROM attempts")) ?? []
    return lines.joined(separator: "\n")
  }
}

/// Processes of this machine, as /proc shows them.
enum Processes {
  /// Those that were started with `path` somewhere in their arguments and have not ended.
  static func naming(_ path: String) -> [Int32] {
    all().filter { process in
      guard let words = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { return false }
      return String(decoding: words, as: UTF8.self).contains(path)
    }
  }

  static func children(of parent: Int32) -> [Int32] {
    all().filter { process in
      let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
      // The name, in parentheses, may hold anything; state and parent follow.
      let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
      return fields.count > 2 && fields[1] != "Z" && fields[2] == "\(parent)"
    }
  }

  private static func all() -> [Int32] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }.sorted()
  }
}
