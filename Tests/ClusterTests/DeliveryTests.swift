// Results reach the coordinator at least once, whatever either side forgets; and workers of another build do not.

import Cluster
import Foundation
import Grokking
import Results
import Sweeps
import Testing
import ZeroMQ

@Suite struct DeliveryTests {
  @Test func `a result is sent again until its receipt comes, and then forgotten`() throws {
    let fixture = try Fixture(points: 1)
    let point = fixture.points[0]
    let worker = try fixture.worker()
    let coordinator = try CoordinatorByHand(at: fixture.endpoint)
    _ = try coordinator.grant(point)
    let first = try coordinator.next(Self.finished)
    let second = try coordinator.next(Self.finished)
    #expect(first == second)
    #expect(first.result.digest == (try Fixture.digest(of: point)))
    #expect(FileManager.default.fileExists(atPath: fixture.scratch + "/\(point.id)/result"))
    try coordinator.say(.receipt(lease: first.lease, point: first.point))
    try coordinator.say(.leave)
    #expect(try worker.end().code == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.scratch).isEmpty)
  }

  @Test func `a result that no receipt came for is brought by the next worker of the machine`() throws {
    let fixture = try Fixture(points: 1)
    let point = fixture.points[0]
    let sent: UnsentResult
    do {
      let worker = try fixture.worker()
      let deaf = try CoordinatorByHand(at: fixture.endpoint)
      _ = try deaf.grant(point)
      sent = try deaf.next(Self.finished)
      worker.interrupt.request(SIGTERM)
      #expect(try worker.end().code == 0)
    }
    // The store never heard of the lease: the result counts all the same.
    let next = try fixture.worker()
    #expect(try fixture.coordinate().ending == .everyPointTerminal)
    #expect(try next.end().code == 0)
    let runs = try fixture.store.runs(of: "tiny")
    #expect(runs.map(\.digest) == [sent.result.digest])
    #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.scratch).isEmpty)
  }

  @Test func `a damaged kept result is thrown away and its point trained again`() throws {
    let fixture = try Fixture(points: 1)
    let point = fixture.points[0]
    let scratch = try ScratchFolder(root: fixture.scratch)
    let path = try scratch.open(point.id).path
    try Data("GKSWSEAL and then nothing that makes sense, but long enough".utf8)
      .write(to: URL(fileURLWithPath: path + "/result"))
    let worker = try fixture.worker()
    #expect(try fixture.coordinate().ending == .everyPointTerminal)
    #expect(try worker.end().code == 0)
    #expect(fixture.lines.contains("a kept result is unreadable"))
    #expect(try fixture.store.runs(of: "tiny").count == 1)
  }

  @Test func `a worker with another protocol version is refused in words and the sweep goes on`() throws {
    let fixture = try Fixture(points: 3, epochs: 2000)
    let stranger = try Socket(Context(), .dealer)
    try stranger.connect(fixture.endpoint)
    let hello = try WireCodec.encode(
      .hello(Hello(Fixture.identity(), protocolVersion: WireProtocol.version + 1)))
    var refusal: String?
    var worker: WorkerOnThread?
    let end = try fixture.coordinate { _, _ in
      if refusal == nil { _ = try? stranger.send(hello) }
      while let frames = try? stranger.receive()?.frames {
        if case .refused(let reason)? = try? WireCodec.decodeCoordinatorMessage(frames) { refusal = reason }
      }
      if refusal != nil, worker == nil { worker = try? fixture.worker() }
    }
    #expect(end.ending == .everyPointTerminal)
    let words = try #require(refusal)
    #expect(words.contains("protocol \(WireProtocol.version + 1)"))
    #expect(fixture.lines.all.contains { $0.hasPrefix("warning: ") && $0.contains(words) })
    #expect(try worker?.end().code == 0)
    // The stranger was never a worker.
    #expect(try fixture.store.summary().workers == 1)
  }

  @Test func `a refused worker stops with the coordinator's words`() throws {
    let fixture = try Fixture(points: 1)
    let worker = try fixture.worker()
    let coordinator = try CoordinatorByHand(at: fixture.endpoint)
    _ = try coordinator.next { if case .hello = $0 { true } else { nil } }
    try coordinator.say(.refused(reason: "another engine"))
    let end = try worker.end()
    #expect(end.code == 77)
    #expect(end.reason == "the coordinator refused this worker: another engine")
  }

  @Test func `noise on the socket harms nobody`() throws {
    let fixture = try Fixture(points: 2, epochs: 2000)
    let stranger = try Socket(Context(), .dealer)
    try stranger.connect(fixture.endpoint)
    let noise: [[[UInt8]]] = [
      [[]], [[0xff, 0x00]], [Array("{}".utf8)],
      [Array("{\"groksweep\":\(WireProtocol.version),\"type\":\"finished\"}".utf8), [1, 2, 3]],
      Array(repeating: [1], count: 7),
    ]
    var sent = 0
    var worker: WorkerOnThread?
    let end = try fixture.coordinate { _, _ in
      while sent < noise.count, (try? stranger.send(noise[sent])) == .queued { sent += 1 }
      if sent == noise.count, worker == nil { worker = try? fixture.worker() }
    }
    #expect(end.ending == .everyPointTerminal && end.overview.finished == 2)
    #expect(try worker?.end().code == 0)
    #expect(fixture.lines.all.contains { $0.hasPrefix("warning: ") })
  }

  @Test func `a port in use is found out before anything is written`() throws {
    let logger = Lines().logger
    let taken = try CoordinatorShell.listen(on: "tcp://127.0.0.1:0", logger: logger)
    let error = #expect(throws: ZeroMQError.self) { try CoordinatorShell.listen(on: taken.endpoint, logger: logger) }
    #expect(error?.description.contains("address already in use") == true)
    #expect(throws: EndpointRefused.self) { try CoordinatorShell.listen(on: "tcp://0.0.0.0:5555", logger: logger) }
  }

  private static func finished(_ message: WorkerMessage) -> UnsentResult? {
    guard case .finished(let lease, let point, let result, let seconds) = message else { return nil }
    return UnsentResult(lease: lease, point: point, result: result, seconds: seconds)
  }
}
