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
  /// What each has to say and could not yet: nothing is taken before the connection stands.
  private var unsaid: [[WorkerMessage]]

  init(of fixture: Fixture, boots: String) throws {
    results = Dictionary(uniqueKeysWithValues: try fixture.points.map { ($0.id, try Fixture.result(of: $0)) })
    sockets = try boots.map { _ in try Socket(Context(), .dealer) }
    for socket in sockets { try socket.connect(fixture.endpoint) }
    unsaid = try boots.map { [.hello(Hello(try Fixture.identity(boot: $0))), .ready] }
  }

  /// Reads what was said to each; `onGrant` and `onReceipt` look at the store before anything else happens.
  func listen(onGrant: (LeaseID, PointID) -> Void, onReceipt: (PointID) -> Void) throws {
    for (index, socket) in sockets.enumerated() {
      while let frames = try socket.receive()?.frames {
        switch try WireCodec.decodeCoordinatorMessage(frames) {
        case .grant(let lease, let point, _, _):
          onGrant(lease, point)
          grants.append((lease, point))
          // Twice, as when no receipt came in time.
          let message = WorkerMessage.finished(lease: lease, point: point, results[point]!, seconds: 1)
          unsaid[index] += [message, message]
        case .receipt(_, let point):
          onReceipt(point)
          receipts.append(point)
          unsaid[index].append(.ready)
        case .leave: unsaid[index].append(.goodbye)
        default: break
        }
      }
    }
  }

  func speak() throws {
    for (index, socket) in sockets.enumerated() {
      while let message = unsaid[index].first, try socket.send(WireCodec.encode(message)) == .queued {
        unsaid[index].removeFirst()
      }
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
        try crowd.speak()
      } catch {
        trouble = error
        interrupt.request(SIGTERM)
      }
    }
    #expect(trouble == nil)
    #expect(end.ending == .everyPointTerminal)
    // A grant that crossed a worker's `ready` is said twice, under one lease.
    #expect(Set(crowd.grants.map { $0.0 }).count == 40)
    #expect(Set(crowd.receipts).count == 40)
    let summary = try fixture.store.summary()
    // Of the workers, a slow one may come when nothing is left to do.
    #expect((summary.finished, summary.attempts) == (40, 40))
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
    var unsaid: [WorkerMessage] = [
      .hello(Hello(try Fixture.identity())),
      .finished(lease: LeaseID(501), point: fixture.points[0].id, broken, seconds: 1),
      .finished(lease: LeaseID(502), point: fixture.points[1].id, good, seconds: 1),
    ]
    var receipts: Set<PointID> = []
    let end = try fixture.coordinate { _, interrupt in
      while let message = unsaid.first, (try? socket.send(WireCodec.encode(message))) == .queued {
        unsaid.removeFirst()
      }
      while let frames = (try? socket.receive())?.frames {
        if case .receipt(_, let point)? = try? WireCodec.decodeCoordinatorMessage(frames) { receipts.insert(point) }
      }
      if receipts.count == 2 { interrupt.request(SIGTERM) }
    }
    #expect(end.overview.finished == 1)
    #expect(try fixture.store.states(of: fixture.points.map(\.id)) == [.pending, .finished])
    #expect(fixture.lines.contains("the store refused the result of point \(fixture.points[0].id.short)"))
  }
}
