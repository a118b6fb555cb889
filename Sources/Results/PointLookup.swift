// Which points are meant: by the beginning of an id, by an SQL condition, or by chance.

import Dispatch
import Foundation
import GRDB
import Grokking
import Sweeps

extension Store {
  /// How long SQLite may think about a condition: a coordinator answers nobody else meanwhile.
  package static let conditionSeconds = 10.0

  /// The one point whose id starts with `prefix`, in hexadecimal digits.
  ///
  /// - Throws: `StoreError`, kind `unknown`, when no point or several start so; several are named.
  package func point(startingWith prefix: String) throws -> PointID {
    try read { database in try point(startingWith: prefix, in: database).id }
  }

  func point(startingWith prefix: String, in database: Database) throws -> (id: PointID, number: Int64) {
    let isHexadecimal = prefix.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
    let found =
      isHexadecimal && !prefix.isEmpty
      ? try Row.fetchAll(
        database,
        sql: "SELECT id, number FROM point WHERE id >= :prefix AND id < :prefix || 'g' ORDER BY id LIMIT 5",
        arguments: ["prefix": prefix])
      : []
    guard let first = found.first else {
      throw StoreError(
        .unknown, path, "there is no point \(prefix) in this store; the view runs has their ids, in the column point")
    }
    guard found.count == 1 else {
      // As many digits as it takes to tell them apart, and no less than people are shown elsewhere.
      let ids = found.map { ($0[0] as String) }
      let shared = zip(ids, ids.dropFirst()).map { $0.commonPrefix(with: $1).utf8.count }.max() ?? 0
      let names = ids.map { $0.prefix(max(12, shared + 1)) }.joined(separator: ", ")
      throw StoreError(
        .unknown, path,
        "the ids of several points start with \(prefix) (\(names)\(ids.count == 5 ? ", and perhaps more" : "")); "
          + "give more of its digits")
    }
    return (try PointID(stored: first[0], path: path), first[1])
  }

  /// The points that `selection` means, each once: finished ones in the order of the sweeps, and for `failed` those that
  /// are set aside.
  ///
  /// - Throws: `StoreError`: kind `badCondition` for a condition that SQLite does not understand, `unknown` for the
  ///   beginning of an id that fits no point or several, or a sweep that is not here.
  package func points(_ selection: PointSelection) throws -> [PointID] {
    switch selection {
    case .ids(let prefixes):
      return try read { database in
        var seen: Set<Int64> = []
        return try prefixes.map { try point(startingWith: $0, in: database) }
          .filter { seen.insert($0.number).inserted }.map(\.id)
      }
    case .condition(let condition): return try points(where: condition)
    case .failed(let sweep): return try failures(of: sweep).map(\.id)
    case .sample(let share, let seed): return try finishedPoints(share: share, seed: seed)
    }
  }

  /// Finished points for which `condition`, an SQL expression over the columns of the view `runs`, is true.
  ///
  /// It comes from people and may say anything, so it is given to a connection that cannot write.
  private func points(where condition: String) throws -> [PointID] {
    func bad(_ why: String) -> StoreError {
      StoreError(
        .badCondition, path,
        "cannot look for the runs with \(condition.prefix(200)): \(why); write an SQL condition over the columns of the view "
          + "runs, such as outcome = 'grokked' AND weight_decay < 1")
    }
    guard !condition.allSatisfy(\.isWhitespace) else { throw bad("the condition is empty") }
    do {
      var configuration = Configuration()
      configuration.readonly = true
      configuration.busyMode = .timeout(TimeInterval(Self.busySeconds))
      let connection = try DatabaseQueue(path: path, configuration: configuration)
      let limit = DispatchWorkItem { connection.interrupt() }
      DispatchQueue.global().asyncAfter(deadline: .now() + Self.conditionSeconds, execute: limit)
      defer { limit.cancel() }
      // The line ends before the bracket: a comment at the condition's end hides nothing of ours.
      let ids = try connection.read { database in
        try String.fetchAll(database, sql: "SELECT point FROM runs WHERE (\(condition)\n)")
      }
      var seen: Set<PointID> = []
      return try ids.compactMap { text in
        guard let id = PointID(hex: text) else { throw bad("it selects what is no point") }
        return seen.insert(id).inserted ? id : nil
      }
    } catch let error as DatabaseError {
      switch error.resultCode {
      case .SQLITE_ERROR, .SQLITE_MISUSE, .SQLITE_READONLY, .SQLITE_AUTH, .SQLITE_RANGE, .SQLITE_MISMATCH,
        .SQLITE_TOOBIG:
        throw bad(error.message ?? "SQLite does not understand it")
      case .SQLITE_INTERRUPT: throw bad("it took longer than \(Int(Self.conditionSeconds)) s")
      default: throw StoreError(error, path: path)
      }
    }
  }

  /// At least `share` of all finished points, the same ones for the same `seed`, in the order of registration.
  private func finishedPoints(share: Double, seed: UInt64) throws -> [PointID] {
    let ids = try read { database in
      try String.fetchAll(
        database,
        sql: """
          SELECT id FROM run JOIN point ON point.number = run.point WHERE run.semantics_version = ? ORDER BY run.point
          """,
        arguments: [Engine.semanticsVersion]
      ).map { try PointID(stored: $0, path: path) }
    }
    let wanted = Int((min(max(share, 0), 1) * Double(ids.count)).rounded(.up))
    // By the draw of each point: which points are chosen does not depend on their order.
    let drawn = ids.map { Self.draw($0, seed: seed) }
    let chosen = Set(drawn.indices.sorted { drawn[$0] < drawn[$1] }.prefix(wanted))
    return ids.indices.filter(chosen.contains).map { ids[$0] }
  }

  /// SplitMix64 of the id's first 64 bits and the seed.
  private static func draw(_ point: PointID, seed: UInt64) -> UInt64 {
    var word = (UInt64(point.hex.prefix(16), radix: 16) ?? 0) ^ (seed &* 0x9e37_79b9_7f4a_7c15)
    word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }
}
