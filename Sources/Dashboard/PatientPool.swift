// FlyingFox waits for ever for what a connected peer has to say. This waits as long as is sensible, so that peers who say
// nothing do not use up what connections there are.

import FlyingSocks

struct PatientPool: AsyncSocketPool {
  private let pool: any AsyncSocketPool

  init(_ pool: some AsyncSocketPool) { self.pool = pool }

  func prepare() async throws { try await pool.prepare() }
  func run() async throws { try await pool.run() }

  func suspendSocket(_ socket: Socket, untilReadyFor events: Socket.Events) async throws {
    // The socket that listens has no peer, and waits as long as it takes.
    guard (try? socket.remotePeer()) != nil else { return try await pool.suspendSocket(socket, untilReadyFor: events) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await pool.suspendSocket(socket, untilReadyFor: events) }
      group.addTask {
        try await Task.sleep(for: DashboardServer.patience)
        throw SocketError.timeout(message: "nothing was said")
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }
}
