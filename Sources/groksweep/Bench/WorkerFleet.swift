// Hundreds of workers in a few threads: each has the socket, codec and session of a worker process, and none trains.
//
// What a coordinator sees of them is what it sees of worker processes. A point is answered at once with a result made
// beforehand, or held for as long as the fleet holds, with a report every second that more epochs are done.

import Foundation
import Grokking
import Kernels
import Sweeps
import Synchronization
import ZeroMQ

/// Started by `init`, ended by `stop`. Safe to use from any thread.
final class WorkerFleet: Sendable {
  /// What the workers do with a point.
  enum Conduct: Int, AtomicRepresentable { case finish, hold, leave }

  private let conduct: Atomic<Conduct>
  private let welcomed = Atomic<Int>(0)
  private let holding = Atomic<Int>(0)
  private let received = Atomic<Int>(0)
  private let running: Atomic<Int>
  private let refusal = Mutex<String?>(nil)

  /// - Parameter result: of every point.
  init(workers: Int, endpoint: String, result: RunResult, _ conduct: Conduct = .finish) {
    self.conduct = Atomic(conduct)
    // A core for the coordinator, the others for those who ask it.
    let threads = max(1, min(workers, ProcessInfo.processInfo.activeProcessorCount - 1))
    running = Atomic(threads)
    for number in 0..<threads {
      let mine = (number * workers / threads)..<((number + 1) * workers / threads)
      let thread = Thread { [self] in
        do {
          try Crew(mine, of: workers, endpoint: endpoint, result: result, fleet: self).work()
        } catch {
          refusal.withLock { $0 = "\(error)" }
        }
        running.subtract(1, ordering: .releasing)
      }
      thread.name = "fleet \(number)"
      thread.stackSize = 1 << 20
      thread.start()
    }
  }

  /// Workers that the coordinator knows.
  var welcomedWorkers: Int { welcomed.load(ordering: .acquiring) }
  /// Points that workers hold.
  var heldPoints: Int { holding.load(ordering: .acquiring) }
  /// Results with a receipt: each of them was committed.
  var receipts: Int { received.load(ordering: .acquiring) }
  /// Why workers could not work; nil while they do.
  var trouble: String? { refusal.withLock { $0 } }

  /// Hands back what is held and says goodbye, in a few seconds at most.
  func stop() {
    conduct.store(.leave, ordering: .releasing)
    while running.load(ordering: .acquiring) > 0 { usleep(1000) }
  }

  /// One thread's workers.
  private final class Crew {
    private struct Member {
      let socket: Socket
      var session: WorkerSession
      var isWelcome = false
      var isTraining = false
      var work = 0
      var nextReport: MonotonicInstant
    }

    /// How often timers are looked at: sessions want something every second at most.
    private static let lookSeconds = 0.05
    private static let leaveSeconds = 3.0
    private static let polledSockets = 32

    private let fleet: WorkerFleet
    private let result: RunResult
    private var members: [Member]
    private let sockets: [Socket]
    private let waker: Waker

    init(_ numbers: Range<Int>, of count: Int, endpoint: String, result: RunResult, fleet: WorkerFleet) throws {
      self.fleet = fleet
      self.result = result
      waker = try Waker()
      let context = try Context(maximumSockets: Int32(numbers.count + 8))
      let now = MonotonicInstant.now
      members = try numbers.map { number in
        let socket = try Socket(
          context, .dealer, options: SocketOptions(maximumMessageSize: Int64(WireCodec.maximumFrameBytes)))
        try socket.connect(endpoint)
        var identity = WorkerIdentity.ofThisProcess(kernels: try KernelPath.choose(named: nil), build: Build.version)
        // So that a coordinator here does not take them for its own process.
        identity.host = "fleet"
        identity.processID = Int32(number + 1)
        let session = WorkerSession(
          SessionConfiguration(identity: identity, helloSeconds: 0.5, selfTest: SelfTest.digest))
        // Spread over the second, as chance would spread them.
        let first = now.advanced(bySeconds: Double(number) / Double(count))
        return Member(socket: socket, session: session, nextReport: first)
      }
      sockets = members.map(\.socket)
    }

    func work() throws {
      for index in members.indices { try handle(.start, index) }
      var nextLook = MonotonicInstant.now
      var leaveBy: MonotonicInstant?
      while true {
        for index in members.indices {
          while let received = try members[index].socket.receive() {
            try handle(.message(try WireCodec.decodeCoordinatorMessage(received.frames)), index)
          }
        }
        let now = MonotonicInstant.now
        if now >= nextLook {
          nextLook = now.advanced(bySeconds: Self.lookSeconds)
          try look(now)
        }
        if fleet.conduct.load(ordering: .acquiring) == .leave {
          if leaveBy == nil {
            leaveBy = now.advanced(bySeconds: Self.leaveSeconds)
            for index in members.indices { try handle(.interrupt(exitCode: 0), index) }
          }
          if members.allSatisfy(\.session.isOver) || now >= leaveBy! { break }
        }
        if members.count > Self.polledSockets {
          // Asking hundreds of sockets whether one has something costs as much as reading them, so they are read
          // together, every so often: workers elsewhere would not take the coordinator's processor time for that.
          usleep(UInt32(2 * members.count))
        } else {
          try Poller.wait(sockets, waker: waker, timeout: .milliseconds(Int(1000 * Self.lookSeconds)))
        }
      }
      for socket in sockets { try socket.linger(milliseconds: 500) }
    }

    private func look(_ now: MonotonicInstant) throws {
      for index in members.indices {
        if members[index].isTraining, now >= members[index].nextReport {
          members[index].nextReport = now.advanced(bySeconds: 1)
          members[index].work += 100
          let work = members[index].work
          try handle(
            .progress(
              RunProgress(
                stage: .training, epoch: work, epochs: 1_000_000, work: work, totalWork: 1_000_000, trainLoss: 0.01,
                testLoss: 5.25, trainAccuracy: 1, testAccuracy: 0.25), epochsPerSecond: 100), index)
        }
        if let due = members[index].session.nextDeadline, due <= now { try handle(.tick, index) }
      }
    }

    private func handle(_ event: SessionEvent, _ index: Int) throws {
      var events = [event]
      while !events.isEmpty {
        for directive in members[index].session.handle(events.removeFirst(), at: .now) {
          switch directive {
          case .send(let message): _ = try members[index].socket.send(try WireCodec.encode(message))
          case .startTraining:
            if fleet.conduct.load(ordering: .relaxed) == .finish {
              events.append(.runFinished(result, seconds: 0.001))
            } else {
              members[index].isTraining = true
              members[index].work = 0
              fleet.holding.add(1, ordering: .relaxed)
            }
          case .stopTraining:
            if members[index].isTraining { fleet.holding.subtract(1, ordering: .relaxed) }
            members[index].isTraining = false
            events.append(.runStopped(epoch: 0))
          case .forgetResult: fleet.received.add(1, ordering: .relaxed)
          case .log(.info, _) where !members[index].isWelcome:
            members[index].isWelcome = true
            fleet.welcomed.add(1, ordering: .relaxed)
          case .exit(let code, let reason):
            if code != 0 { throw Failure(reason ?? "a worker of the fleet ended", .failed) }
          case .log, .keepResult, .prepare, .keepChunk, .dropFetched, .sendChunk: break
          }
        }
      }
    }
  }
}
