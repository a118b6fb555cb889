// An end of patience, and of room. FlyingFox waits for ever for what a connected peer has to say, and for any number of
// them; here a whole request has to come within `DashboardServer.patience`, however its bytes trickle in, what is sent has to be
// taken, and when too many connections are waited for the one that has been waited for longest is given up. So who opens
// connections and says nothing keeps nobody else from reading.

import FlyingFox
import FlyingSocks
import Foundation
import Synchronization

final class PatientPool: AsyncSocketPool {
  /// Far below the 1,024 files that a process may have open, and far above what browsers open.
  static let mostWaiting = 256

  private struct Waiting {
    var number: Int
    var file: Int32
  }

  private struct State {
    /// Connections that are waited for, those first that have been for longest. Their files are open.
    var waiting: [Waiting] = []
    var lastNumber = 0
    /// Since when the next request of a peer is waited for.
    var requests: [HTTPRequest.Address: ContinuousClock.Instant] = [:]
  }

  private let pool: any AsyncSocketPool
  private let state = Mutex(State())

  init(_ pool: some AsyncSocketPool) { self.pool = pool }

  func prepare() async throws { try await pool.prepare() }
  func run() async throws { try await pool.run() }

  /// A whole request has come from there; the next one has all the time again.
  func hasHeard(_ peer: HTTPRequest.Address?) {
    if let peer { state.withLock { $0.requests[peer] = nil } }
  }

  func suspendSocket(_ socket: Socket, untilReadyFor events: Socket.Events) async throws {
    // The socket that listens has no peer, and waits as long as it takes.
    guard let address = try? socket.remotePeer() else {
      return try await pool.suspendSocket(socket, untilReadyFor: events)
    }
    let peer = HTTPRequest.Address.make(from: address)
    let end = (events.contains(.read) ? beginning(of: peer) : .now) + DashboardServer.patience
    let number = enter(socket.file.rawValue)
    defer { leave(number) }
    do {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { [pool] in try await pool.suspendSocket(socket, untilReadyFor: events) }
        group.addTask {
          try await Task.sleep(until: end, clock: .continuous)
          throw SocketError.timeout(message: "no whole request came")
        }
        defer { group.cancelAll() }
        try await group.next()
      }
    } catch {
      hasHeard(peer)
      throw error
    }
  }

  private func beginning(of peer: HTTPRequest.Address) -> ContinuousClock.Instant {
    state.withLock { state in
      if let known = state.requests[peer] { return known }
      // Peers that hung up stay behind here; to forget the others with them gives those their time once more.
      if state.requests.count >= 16 * Self.mostWaiting { state.requests = [:] }
      state.requests[peer] = .now
      return .now
    }
  }

  private func enter(_ file: Int32) -> Int {
    state.withLock { state in
      if state.waiting.count >= Self.mostWaiting {
        // Whoever waits for it wakes up at its end, and closes it.
        shutdown(state.waiting.removeFirst().file, Int32(SHUT_RDWR))
      }
      state.lastNumber += 1
      state.waiting.append(Waiting(number: state.lastNumber, file: file))
      return state.lastNumber
    }
  }

  private func leave(_ number: Int) {
    state.withLock { state in
      if let place = state.waiting.firstIndex(where: { $0.number == number }) { state.waiting.remove(at: place) }
    }
  }
}
