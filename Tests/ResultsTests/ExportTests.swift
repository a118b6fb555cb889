// Views as CSV and as JSON lines, and copies of stores.

import Foundation
import GRDB
import Grokking
import Results
import Sweeps
import Testing

@Suite struct ExportTests {
  private let fixture: StoreFixture
  private let sweep = Sample.sweep()
  private var store: Store { fixture.store }

  init() throws {
    fixture = try StoreFixture()
    _ = try fixture.store.register(sweep, at: Sample.now)
    try fixture.store.finish(sweep.points[0].id, lease: 1, Sample.measured())
    try fixture.store.recordFailure(sweep.points[3].id, reason: "said \"no\",\nthen left", at: Sample.now)
  }

  private func export(_ view: String, where condition: String? = nil, as format: ExportFormat) throws -> String {
    var bytes: [UInt8] = []
    _ = try store.export(view, where: condition, as: format) { bytes += $0 }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func `CSV has a line of names, lines that end in CR LF, and quotes where RFC 4180 wants them`() throws {
    #expect(try export("phases", as: .csv).hasPrefix("point,phase,start_epoch,end_epoch\r\n"))
    let phases = try export("phases", as: .csv).components(separatedBy: "\r\n")
    let point = sweep.points[0].id.hex
    #expect(
      phases == [
        phases[0], "\(point),memorization,0,200", "\(point),circuit_formation,200,600",
        "\(point),cleanup,600,", "",
      ])
    #expect(try export("failures", as: .csv).contains(",\"said \"\"no\"\",\nthen left\",0\r\n"))
  }

  @Test func `bytes are written as base64`() throws {
    var result = Sample.measured()
    result.finalWeights = [0, 255, 1]
    try store.finish(sweep.points[1].id, lease: 2, result)
    #expect(try export("final_weights", as: .csv).hasSuffix(",3,AP8B\r\n"))
    #expect(try export("final_weights", as: .jsonl).hasSuffix("\"safetensors\":\"AP8B\"}\n"))
  }

  @Test func `an empty text is not NULL`() throws {
    #expect(try export("workers", as: .csv).hasSuffix(",\"\"\r\n"))
    let line = try #require(try export("workers", as: .jsonl).split(separator: "\n").first)
    #expect(line.hasSuffix(",\"key\":\"\"}"))
  }

  @Test func `JSON lines hold every column in the view's order, and null`() throws {
    for view in try store.viewNames() {
      let columns = try fixture.rows("SELECT name FROM pragma_table_info('\(view)')").map { $0[0] as String }
      for line in try export(view, as: .jsonl).split(separator: "\n") {
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
        #expect(Set(object.keys) == Set(columns))
        let places = columns.map { line.range(of: "\"\($0)\":")?.lowerBound ?? line.endIndex }
        #expect(places == places.sorted(), "\(view)")
      }
    }
    #expect(try export("phases", where: "phase = 'cleanup'", as: .jsonl).hasSuffix("\"end_epoch\":null}\n"))
    #expect(try export("failures", as: .jsonl).contains("\"reason\":\"said \\\"no\\\",\\u000athen left\""))
  }

  @Test func `numbers come back with the same bits`() throws {
    let stored = try fixture.rows("SELECT cosine_coefficient FROM frequency_curves").map { $0[0] as Double }
    let lines = try export("frequency_curves", as: .csv).components(separatedBy: "\r\n").dropFirst().dropLast()
    #expect(lines.map { Double($0.split(separator: ",").last ?? "") } == stored)
    #expect(stored.contains(0.1 + 0.2))
  }

  @Test func `a condition selects rows, and its comments hide nothing`() throws {
    #expect(try export("curves", where: "epoch = 1000 -- the end", as: .jsonl).split(separator: "\n").count == 1)
    let query = "point IN (SELECT point FROM runs WHERE outcome = 'grokked')"
    #expect(try export("crossings", where: query, as: .jsonl).split(separator: "\n").count == 9)
  }

  @Test(arguments: ["nope = 1", "1); DROP TABLE run; --", "epoch =", " ", "1) UNION SELECT * FROM runs WHERE (1"])
  func `a condition that SQLite does not understand is refused, and nothing is written`(_ condition: String) throws {
    var written = 0
    let error = storeError { _ = try store.export("curves", where: condition, as: .csv) { written += $0.count } }
    #expect(error?.kind == .badCondition)
    #expect(error?.message.contains("cannot look for rows of curves with") == true)
    #expect(written == 0)
  }

  @Test func `what is no view is answered with the views that there are`() throws {
    for name in ["run", "Runs", "", "runs; DROP TABLE run"] {
      let error = storeError { _ = try store.export(name, as: .csv) { _ in } }
      #expect(error?.kind == .unknown)
      #expect(error?.message.contains("its views are ablations, attempts, boundaries, crossings, curves,") == true)
    }
  }

  @Test func `rows are those of one moment, and come in pieces, while others write`() throws {
    let long = Sample.sweep("long", weightDecays: [5], seeds: 400)
    _ = try store.register(long, at: Sample.now)
    var writes: [StoreWrite] = []
    for (index, point) in long.points.enumerated() {
      writes.append(.grant(AttemptRecord(lease: LeaseID(Int64(index + 10)), point: point.id, worker: 1)))
    }
    _ = try store.commit(writes, at: Sample.now)
    var pieces: [Int] = []
    var added = false
    let rows = try store.export("attempts", as: .jsonl) { bytes in
      pieces.append(bytes.count)
      guard !added else { return }
      added = true
      try Store(path: fixture.path, mode: .open).finish(sweep.points[1].id, lease: 2)
    }
    #expect(rows == 401)
    #expect(try fixture.value("SELECT count(*) FROM attempts") == 402)
    #expect(pieces.count >= 2 && pieces.allSatisfy { $0 < 70_000 })
  }

  // MARK: Snapshots

  @Test func `a snapshot is a store that answers as the original, and stays as it is`() throws {
    let copy = fixture.folder.file("copy.sqlite")
    try store.snapshot(to: copy)
    #expect(fixture.folder.contents.filter { $0.hasPrefix("copy") } == ["copy.sqlite"])
    let before = try Store(path: copy, mode: .readOnly).runs(of: "decay")
    #expect(try store.runs(of: "decay") == before)
    try store.finish(sweep.points[1].id, lease: 2)
    let reopened = try Store(path: copy, mode: .open)
    #expect(try reopened.runs(of: "decay") == before)
    try reopened.finish(sweep.points[2].id, lease: 2)
    try reopened.check()
  }

  @Test func `a snapshot replaces nothing`() throws {
    let copy = fixture.folder.file("copy.sqlite")
    for there in ["", "-wal", "-journal"] {
      let path = copy + there
      try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
      let error = storeError { try store.snapshot(to: copy) }
      #expect(error?.kind == .refused, "\(path)")
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
      try FileManager.default.removeItem(atPath: path)
    }
    #expect(storeError { try store.snapshot(to: fixture.path) }?.message.contains("is there already") == true)
    #expect(storeError { try store.snapshot(to: fixture.folder.file("absent/copy.sqlite")) } != nil)
    #expect(fixture.folder.contents.allSatisfy { $0.hasPrefix("x.sqlite") })
  }
}
