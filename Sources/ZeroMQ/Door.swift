// The door of a listening socket: a thread that answers libzmq's questions who may come in (ZAP, RFC 27), and watches who
// tries. It stands before anything is bound, and it fails closed.
//
// CURVE alone authenticates nobody: it proves which key a client has, and lets every key in unless an authenticator
// answers at inproc://zeromq.zap.01 of the same context. So a socket gets server keys only from a door, a door has
// bound that address when it exists, and the socket holds its door: there is no time in which nobody asks. Whatever
// goes wrong in here (an error of the closure, a question that it does not understand, a thread that hangs or has
// ended) means that nobody new gets in.

import CZeroMQ
import Foundation
import Synchronization

/// What an authenticator decides about a key.
package enum Admission: Hashable, Sendable {
  /// Every frame of the connection will carry `user`.
  case allowed(user: String)
  /// For good: the client is told, and stops. `who` and `reason` are for the log.
  case refused(who: String, reason: String)
  /// Not now: the client tries again by itself.
  case putOff(reason: String)
}

package final class Door: Sendable {
  /// Decides about a client's public key and the address that it comes from (without port). Called on the door's
  /// thread; an error counts as `putOff`.
  package typealias Authenticate = @Sendable (CurveKey, String) throws -> Admission

  static let domain = "groksweep"
  private static let address = "inproc://zeromq.zap.01"

  let context: Context
  let keys: CurveKeyPair?
  private let thread: DoorThread

  /// A door with keys. One per context.
  package init(
    _ context: Context, keys: CurveKeyPair, limits: DoorLimits = DoorLimits(),
    note: @escaping @Sendable (DoorNote) -> Void, authenticate: @escaping Authenticate
  ) throws(ZeroMQError) {
    self.context = context
    self.keys = keys
    let questions = try Socket(context, .reply)
    try questions.bind(Self.address)
    thread = try DoorThread(limits, questions: questions, authenticate: authenticate, note: note)
    thread.start()
  }

  /// A door that lets everybody in, and still watches who cannot speak, says nothing or comes in crowds.
  package init(
    openIn context: Context, limits: DoorLimits = DoorLimits(), note: @escaping @Sendable (DoorNote) -> Void
  ) throws(ZeroMQError) {
    self.context = context
    keys = nil
    thread = try DoorThread(limits, questions: nil, authenticate: nil, note: note)
    thread.start()
  }

  deinit { thread.stop() }

  func watch(_ socket: Socket) throws(ZeroMQError) {
    let monitor = try Monitor.open(on: socket, in: context)
    thread.watch(monitor, handshakeSeconds: Double(socket.options.handshakeMilliseconds) / 1000)
  }

  /// A message came from this descriptor: its handshake is through.
  func heard(from descriptor: Int32) { thread.heard(from: descriptor) }
}

/// The thread and what belongs to it. `Sendable` because sockets are handed over before it starts or through the lock,
/// and used by it alone from then on.
private final class DoorThread: @unchecked Sendable {
  private struct Shared {
    var newMonitors: [Watched] = []
    var spoken: Set<Int32> = []
    var isStopping = false
  }

  private struct Watched: @unchecked Sendable {
    let monitor: Socket
    var watch: DoorWatch
  }

  private let limits: DoorLimits
  private let questions: Socket?
  private let authenticate: Door.Authenticate?
  private let note: @Sendable (DoorNote) -> Void
  private let waker: Waker
  private let shared = Mutex(Shared())
  private let hasEnded = DispatchSemaphore(value: 0)
  private let birth = ContinuousClock.now

  // The thread's own.
  private var watched: [Watched] = []
  private var handshakes: HandshakeLimits
  private var lines: LineLimiter

  init(
    _ limits: DoorLimits, questions: Socket?, authenticate: Door.Authenticate?,
    note: @escaping @Sendable (DoorNote) -> Void
  ) throws(ZeroMQError) {
    self.limits = limits
    self.questions = questions
    self.authenticate = authenticate
    self.note = note
    waker = try Waker()
    handshakes = HandshakeLimits(limits, now: 0)
    lines = LineLimiter(limits.lines, now: 0)
  }

  func start() {
    let thread = Thread { [self] in
      nameCurrentThread("door")
      do {
        while !shared.withLock({ $0.isStopping }) { try turn() }
      } catch {
        // The socket stays bound and answers nobody, so libzmq keeps everybody new waiting, and then cuts them.
        note(DoorNote(kind: .trouble, text: "the authenticator has stopped, nobody new is let in: \(error)"))
        while !shared.withLock({ $0.isStopping }) { try? Poller.wait([], waker: waker, timeout: .seconds(1)) }
      }
      watched = []
      hasEnded.signal()
    }
    thread.start()
  }

  /// Returns when the thread has ended, unless it hangs in the authenticator's closure.
  func stop() {
    shared.withLock { $0.isStopping = true }
    waker.wake()
    _ = hasEnded.wait(timeout: .now() + 5)
  }

  func watch(_ monitor: Socket, handshakeSeconds: Double) {
    let watch = DoorWatch(limits: limits, handshakeSeconds: handshakeSeconds, hasKeys: authenticate != nil)
    shared.withLock { $0.newMonitors.append(Watched(monitor: monitor, watch: watch)) }
    waker.wake()
  }

  func heard(from descriptor: Int32) { shared.withLock { _ = $0.spoken.insert(descriptor) } }

  private var now: Double {
    let passed = (ContinuousClock.now - birth).components
    return Double(passed.seconds) + Double(passed.attoseconds) * 1e-18
  }

  private func turn() throws(ZeroMQError) {
    watched += shared.withLock { shared in
      defer { shared.newMonitors = [] }
      return shared.newMonitors
    }
    for place in watched.indices { try readEvents(place) }
    if let questions {
      while let question = try questions.receive() {
        let answer = answer(question.frames)
        if answer.code != "200" {
          let host = ZAPQuestion(question.frames)?.address ?? ""
          for place in watched.indices { watched[place].watch.refused(at: host) }
        }
        _ = try questions.send(ZAPQuestion.reply(to: question.frames, answer.code, user: answer.user))
        answer.note.map(say)
      }
    }
    for place in watched.indices where watched[place].watch.hasPending {
      let acts = watched[place].watch.review(now: now, bytes: Descriptor.bytesReceived, hasSpoken: hasSpoken)
      perform(acts)
    }
    lines.summaries(now: now).forEach(note)
    let isBusy = lines.hasOmitted || watched.contains { $0.watch.hasPending }
    try Poller.wait(
      watched.map(\.monitor) + [questions].compactMap { $0 }, waker: waker,
      timeout: isBusy ? .milliseconds(250) : nil)
  }

  private func readEvents(_ place: Int) throws(ZeroMQError) {
    while let message = try watched[place].monitor.receive() {
      let event = MonitorEvent(message.frames)
      var address: String?
      // At once: those who are turned away are gone within a millisecond.
      if case .accepted(let descriptor) = event { address = Descriptor.peer(of: descriptor) }
      perform(watched[place].watch.handle(event, address: address, now: now, hasSpoken: hasSpoken))
      if case .disconnected(let descriptor) = event { shared.withLock { _ = $0.spoken.remove(descriptor) } }
    }
  }

  private func hasSpoken(_ descriptor: Int32) -> Bool { shared.withLock { $0.spoken.contains(descriptor) } }

  private func perform(_ acts: [DoorWatch.Act]) {
    for act in acts {
      switch act {
      case .note(let note): say(note)
      case .cut(let descriptor, let address): Descriptor.shut(descriptor, ifPeerIs: address)
      }
    }
  }

  private func say(_ line: DoorNote) { lines.pass(line, now: now).map(note) }

  private struct Answer {
    /// 200 in; 300 not now: libzmq closes the connection without a word, at once when the answer comes before it looks
    /// for it, or else when the handshake's time is over; 400 and 500 refused for good.
    var code: String
    var user = ""
    var note: DoorNote?
  }

  /// What is not exactly understood, or cannot be decided, lets nobody in.
  private func answer(_ frames: [[UInt8]]) -> Answer {
    guard let question = ZAPQuestion(frames), let key = question.key, let authenticate else {
      let text = "turned away a peer whose handshake the authenticator does not understand"
      return Answer(code: "500", note: DoorNote(kind: .protocolError, text: text))
    }
    let who = question.address
    func putOff(_ kind: DoorNote.Kind, _ name: String, _ why: String) -> Answer {
      Answer(code: "300", note: DoorNote(kind: kind, text: "put off \(who), \(name): \(why)"))
    }
    do {
      switch try authenticate(key, who) {
      case .allowed(let user):
        guard !user.isEmpty else { return putOff(.trouble, "key \(key)", "the authenticator gave it no name") }
        guard handshakes.admitsKnown(now: now) else {
          return putOff(.busy, "key \(key)", "too many handshakes at once")
        }
        return Answer(code: "200", user: user)
      case .refused(let name, let reason):
        guard handshakes.answersStranger(at: who, now: now) else {
          return putOff(.busy, name, "too many handshakes of keys that are not let in")
        }
        return Answer(code: "400", note: DoorNote(kind: .refused, text: "refused \(who), \(name): \(reason)"))
      case .putOff(let reason): return putOff(.trouble, "key \(key)", reason)
      }
    } catch {
      return putOff(.trouble, "key \(key)", "whether it may come in cannot be found out: \(error)")
    }
  }
}

/// A request of ZAP 1.0: version, request id, domain, address, routing id, mechanism, and for CURVE the public key.
private struct ZAPQuestion {
  let address: String
  /// nil for any mechanism but CURVE.
  let key: CurveKey?

  init?(_ frames: [[UInt8]]) {
    guard frames.count == 7, frames[0] == Array("1.0".utf8), frames[5] == Array("CURVE".utf8) else { return nil }
    guard frames[2] == Array(Door.domain.utf8) else { return nil }
    let text = String(decoding: frames[3].prefix(64), as: UTF8.self)
    address = text.isEmpty ? "this machine" : text
    key = CurveKey(bytes: frames[6])
  }

  /// Version, request id, code, text, User-Id, metadata.
  static func reply(to frames: [[UInt8]], _ code: String, user: String) -> [[UInt8]] {
    [Array("1.0".utf8), frames.count > 1 ? frames[1] : [], Array(code.utf8), [], Array(user.utf8), []]
  }
}
