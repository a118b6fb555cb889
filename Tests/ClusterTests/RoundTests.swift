// What a coordinator says, and what stands in its store by then.

import Cluster
import Foundation
import Grokking
import Results
import Sweeps
import Testing
import ZeroMQ

/// Workers played by hand, all in the coordinator's own thread.
private final class Crowd {
  private let sockets: [Socket]
  private let results: [PointID: RunResult]
  private(set) var grants: [(lease: LeaseID, point: PointID)] = []
  private(set) var receipts: [PointID] = []
  /// What each has trained and not delivered yet.
  private var trained: [[WorkerMessage]]

  init(of fixture: Fixture, boots: String) throws {
    results = Dictionary(uniqueKeysWithValues: try fixture.points.map { ($0.id, try Fixture.result(of: $0)) })
    sockets = try boots.map { boot in
      let socket = try Socket(Context(), .dealer)
      try socket.connect(fixture.endpoint)
      _ = try socket.send(WireCodec.encode(.hello(Hello(Fixture.identity(boot: boot)))))
      _ = try socket.send(WireCodec.encode(.ready))
      return socket
    }
    trained = sockets.map { _ in [] }
  }

  /// Reads what was said to each; `onGrant` and `onReceipt` look at the store before anything else happens.
  func listen(onGrant: (LeaseID, PointID) -> Void, onReceipt: (PointID) -> Void) throws {
    for (index, socket) in sockets.enumerated() {
      while let frames = try socket.receive() {
        switch try WireCodec.decodeCoordinatorMessage(frames) {
        case .grant(let lease, let point, _, _):
          onGrant(lease, point)
          grants.append((lease, point))
          trained[index] = [.finished(lease: lease, point: point, results[point]!, seconds: 1)]
        case .receipt(_, let point):
          onReceipt(point)
          receipts.append(point)
          _ = try socket.send(WireCodec.encode(.ready))
        case .leave: _ = try socket.send(WireCodec.encode(.goodbye))
        default: break
        }
      }
    }
  }

  /// All that have a result deliver it, twice.
  func deliver() throws {
    for (index, socket) in sockets.enumerated() {
      for message in trained[index] {
        for _ in 0..<2 { _ = try socket.send(WireCodec.encode(message)) }
      }
      trained[index] = []
    }
  }
}

@Suite struct RoundTests {
  @Test func `no grant and no receipt leaves before it is in the store, though many come at once`() throws {
    let fixture = try Fixture(points: 40)
    let crowd = try Crowd(of: fixture, boots: "0123456789abcdef")
    let reader = try Store(path: fixture.folder + "/store.sqlite", mode: .readOnly)
    var trouble: (any Error)?
    let end = try fixture.coordinate { _, interrupt in
      do {
        try crowd.listen(
          onGrant: { lease, point in
            let attempts = (try? reader.story(of: point).attempts) ?? []
            #expect(attempts.contains { $0.lease == lease }, "\(lease) was granted and is not in the store")
          },
          onReceipt: { point in
            let state = try? reader.states(of: [point])
            #expect(state == [.finished], "point \(point.short) has its receipt and is not in the store")
          })
        try crowd.deliver()
      } catch {
        trouble = error
        interrupt.request(SIGTERM)
      }
    }
    #expect(trouble == nil)
    #expect(end.ending == .everyPointTerminal)
    #expect(crowd.grants.count == 40)
    #expect(Set(crowd.receipts).count == 40)
    let summary = try fixture.store.summary()
    #expect((summary.finished, summary.attempts, summary.workers) == (40, 40, 16))
    #expect(try fixture.store.violationCount() == 0)
    // The attempts ended with their results.
    for point in fixture.points { #expect(try fixture.store.story(of: point.id).attempts.map(\.kind) == ["finished"]) }
  }

  @Test func `a result that the store refuses does not take the others of its round along`() throws {
    let fixture = try Fixture(points: 2)
    var broken = try Fixture.result(of: fixture.points[0])
    broken.digests = []
    let good = try Fixture.result(of: fixture.points[1])
    let socket = try Socket(Context(), .dealer)
    try socket.connect(fixture.endpoint)
    let messages: [WorkerMessage] = [
      .hello(Hello(try Fixture.identity())),
      .finished(lease: LeaseID(501), point: fixture.points[0].id, broken, seconds: 1),
      .finished(lease: LeaseID(502), point: fixture.points[1].id, good, seconds: 1),
    ]
    for message in messages { #expect(try socket.send(WireCodec.encode(message)) == .queued) }
    var receipts: Set<PointID> = []
    let end = try fixture.coordinate { _, interrupt in
      while let frames = try? socket.receive() {
        if case .receipt(_, let point)? = try? WireCodec.decodeCoordinatorMessage(frames) { receipts.insert(point) }
      }
      if receipts.count == 2 { interrupt.request(SIGTERM) }
    }
    #expect(end.overview.finished == 1)
    #expect(try fixture.store.states(of: fixture.points.map(\.id)) == [.pending, .finished])
    #expect(fixture.lines.contains("the store refused the result of point \(fixture.points[0].id.short)"))
  }
}
