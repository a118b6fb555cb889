// A door with real sockets: who has a key gets in and is named, nobody else does, and nothing that goes wrong opens it.

import Foundation
import Synchronization
import Testing
import ZeroMQ

@Suite struct DoorTests {
  private let server: CurveKeyPair
  private let known: CurveKeyPair
  private let notes = Notes()
  /// A client that is put off is cut by its handshake's time.
  private static let impatient = SocketOptions(handshakeMilliseconds: 300)

  init() throws {
    server = try .generate()
    known = try .generate()
  }

  /// A router behind a door that knows one key.
  private func router(
    limits: DoorLimits = DoorLimits(), options: SocketOptions = SocketOptions(),
    _ authenticate: Door.Authenticate? = nil
  ) throws -> (Socket, endpoint: String) {
    let known = known.publicKey
    let door = try Door(
      Context(), keys: server, limits: limits, note: notes.keep,
      authenticate: authenticate ?? { key, _ in
        key == known ? .allowed(user: key.text) : .refused(who: "key \(key)", reason: "it is not known here")
      })
    let socket = try Socket(behind: door, options: options)
    return (socket, try socket.bind("tcp://127.0.0.1:0"))
  }

  private struct Client {
    let socket: Socket
    let monitor: Monitor

    init(_ keys: CurveClient?, to endpoint: String) throws {
      let context = try Context()
      socket = try Socket(
        context, .dealer, keys: keys,
        options: SocketOptions(reconnectMilliseconds: 10, reconnectMaximumMilliseconds: 20))
      monitor = try Monitor(socket, in: context)
      try socket.connect(endpoint)
    }

    /// The first event that matters here; nil after ten seconds.
    func next() throws -> LinkEvent? {
      let deadline = ContinuousClock.now + .seconds(10)
      while ContinuousClock.now < deadline {
        if let event = try monitor.next() { return event }
        try Poller.wait([monitor.socket], timeout: deadline - ContinuousClock.now)
      }
      return nil
    }
  }

  private func client(_ keys: CurveKeyPair, server: CurveKey? = nil, to endpoint: String) throws -> Client {
    try Client(CurveClient(own: keys, server: server ?? self.server.publicKey), to: endpoint)
  }

  @Test func `every frame of a known key carries its User-Id`() throws {
    let (router, endpoint) = try router()
    let client = try client(known, to: endpoint)
    #expect(try client.next() == .established)
    for number in 0..<3 as Range<UInt8> {
      try sendInTime([[number], []], through: client.socket)
      let received = try #require(try nextInTime(router))
      #expect(received.frames.dropFirst() == [[number], []])
      #expect(received.user == known.publicKey.text)
    }
    #expect(notes.all.isEmpty)
  }

  @Test func `an unknown key is refused for good, with a line, and its client is told`() throws {
    let (router, endpoint) = try router()
    let stranger = try CurveKeyPair.generate()
    let client = try client(stranger, to: endpoint)
    #expect(try client.next() == .refused)
    try notes.wait { $0.kind == .refused }
    #expect(
      notes.all.map(\.text) == ["refused 127.0.0.1, key \(stranger.publicKey): it is not known here"])
    #expect(try router.receive() == nil)
  }

  @Test func `an authenticator that fails lets nobody in, and whoever has a right to come tries again`() throws {
    struct Broken: Error, CustomStringConvertible { var description: String { "the keys are gone" } }
    let isBroken = Atomic(true)
    let known = known.publicKey.text
    let (router, endpoint) = try router(options: Self.impatient) { _, _ in
      if isBroken.load(ordering: .acquiring) { throw Broken() }
      return .allowed(user: known)
    }
    let client = try client(self.known, to: endpoint)
    #expect(try client.next() == .putOff)
    #expect(try client.next() == .putOff)
    #expect(try router.receive() == nil)
    try notes.wait { $0.kind == .trouble && $0.text.hasSuffix("cannot be found out: the keys are gone") }
    isBroken.store(false, ordering: .releasing)
    var event = try client.next()
    while event == .putOff { event = try client.next() }
    #expect(event == .established)
  }

  @Test func `an authenticator that gives no name lets nobody in`() throws {
    let (router, endpoint) = try router(options: Self.impatient) { _, _ in .allowed(user: "") }
    #expect(try client(known, to: endpoint).next() == .putOff)
    #expect(try router.receive() == nil)
  }

  @Test func `an authenticator that hangs lets nobody in`() throws {
    let gate = DispatchSemaphore(value: 0)
    let (router, endpoint) = try router(options: SocketOptions(handshakeMilliseconds: 200)) { key, _ in
      gate.wait()
      return .allowed(user: key.text)
    }
    let client = try client(known, to: endpoint)
    let event = try client.next()
    #expect(event == .putOff)
    #expect(try router.receive() == nil)
    #expect(try client.socket.send([[1]]) == .full)
    for _ in 0..<100 { gate.signal() }
  }

  @Test func `a client without keys, and one for another server, find out what is wrong`() throws {
    let (router, endpoint) = try router()
    try expectOtherMechanism(Client(nil, to: endpoint))
    // Both see it; the client may hang up before the server has said so.
    try notes.wait { $0.kind == .otherMechanism || $0.kind == .hungUp }
    let other = try CurveKeyPair.generate().publicKey
    #expect(try client(known, server: other, to: endpoint).next() == .notOpened)
    try notes.wait { $0.kind == .sealed }
    #expect(try router.receive() == nil)
  }

  /// The server may see it first and hang up; then the client tries again, until it is the first.
  private func expectOtherMechanism(_ client: Client) throws {
    var event = try client.next()
    while event == .notOpened || event == .hungUp { event = try client.next() }
    #expect(event == .otherMechanism)
  }

  @Test func `a client with keys finds out that none are used`() throws {
    let router = try Socket(behind: Door(openIn: Context(), note: notes.keep))
    let endpoint = try router.bind("tcp://127.0.0.1:0")
    try expectOtherMechanism(client(known, to: endpoint))
    try notes.wait { $0.text.contains("none are used here") || $0.kind == .hungUp }
  }

  @Test func `a crowd of unknown keys is put off, and a known one comes in all the same`() throws {
    var limits = DoorLimits()
    limits.strangersOfOneAddress = DoorLimits.Rate(perSecond: 0, burst: 2)
    let (router, endpoint) = try router(limits: limits, options: Self.impatient)
    var events: [LinkEvent?] = []
    for _ in 0..<4 { events.append(try client(.generate(), to: endpoint).next()) }
    #expect(events == [.refused, .refused, .putOff, .putOff])
    try notes.wait { $0.kind == .busy }
    let client = try client(known, to: endpoint)
    #expect(try client.next() == .established)
    try sendInTime([[1]], through: client.socket)
    #expect(try nextInTime(router)?.user == known.publicKey.text)
  }

  @Test func `nobody can listen with keys where somebody else answers for the door`() throws {
    let context = try Context()
    let first = try Door(context, keys: server, note: notes.keep) { _, _ in .putOff(reason: "") }
    let error = #expect(throws: ZeroMQError.self) {
      try Door(context, keys: server, note: notes.keep) { key, _ in .allowed(user: key.text) }
    }
    #expect(error?.description.contains("zeromq.zap.01") == true)
    withExtendedLifetime(first) {}
  }

  /// Frames of one peer wait here only up to the limit: then the peer's own queue fills, and it is told.
  @Test func `what a peer can leave unread is bounded`() throws {
    let (router, endpoint) = try router(options: SocketOptions(receiveHighWaterMark: 4))
    let client = try Client(CurveClient(own: known, server: server.publicKey), to: endpoint)
    let loud = client.socket
    #expect(try client.next() == .established)
    let frame = [UInt8](repeating: 1, count: 1 << 20)
    var sent = 0
    // Full, and still full when the net has taken what it takes.
    for _ in 0..<40 {
      while sent < 1000, try loud.send([frame]) == .queued { sent += 1 }
      try Poller.wait([], timeout: .milliseconds(10))
    }
    // The client's own queue holds 100, the router's 4; the rest is in the kernel's buffers.
    #expect(sent <= 100 + 4 + 20, "\(sent)")
    var received = 0
    while received < sent, try nextInTime(router) != nil { received += 1 }
    #expect(received == sent)
  }

  @Test func `who says nothing is cut off after the handshake's time`() throws {
    let (router, endpoint) = try router(options: SocketOptions(handshakeMilliseconds: 300))
    let silent = try connectRaw(to: endpoint)
    defer { close(silent) }
    try notes.wait { $0.kind == .silent && $0.text.hasPrefix("turned away 127.0.0.1:") }
    // The far end has hung up: reading ends.
    var byte: UInt8 = 0
    var count: Int
    repeat { count = read(silent, &byte, 1) } while count == 1
    #expect(count <= 0)
    withExtendedLifetime(router) {}
  }

  @Test func `a crowd that says nothing loses its own oldest, and a known key comes in`() throws {
    var limits = DoorLimits()
    limits.pendingConnections = 5
    let (router, endpoint) = try router(limits: limits)
    var crowd: [Int32] = []
    defer { for descriptor in crowd { close(descriptor) } }
    for _ in 0..<12 { crowd.append(try connectRaw(to: endpoint)) }
    try notes.wait { $0.kind == .crowded }
    let client = try client(known, to: endpoint)
    #expect(try client.next() == .established)
    try sendInTime([[1]], through: client.socket)
    #expect(try nextInTime(router)?.user == known.publicKey.text)
  }

  @Test func `who sends much before saying who it is is cut off`() throws {
    let (router, endpoint) = try router()
    let flood = try connectRaw(to: endpoint)
    defer { close(flood) }
    // A greeting with CURVE in it, then a command of 1 MiB that never ends.
    var bytes: [UInt8] = [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 1] + Array("CURVE".utf8)
    bytes += [UInt8](repeating: 0, count: 64 - bytes.count)
    bytes += [6, 0, 0, 0, 0, 0, 0x10, 0, 0] + [UInt8](repeating: 7, count: 200_000)
    var sent = 0
    while sent < bytes.count {
      let left = bytes.count - sent
      let count = bytes.withUnsafeBytes { send(flood, $0.baseAddress! + sent, left, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { break }
      sent += count
    }
    try notes.wait { $0.kind == .crowded && $0.text.contains("without saying who it is") }
    withExtendedLifetime(router) {}
  }

  /// A TCP connection without libzmq.
  private func connectRaw(to endpoint: String) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = try #require(endpoint.split(separator: ":").last.flatMap { UInt16($0) }).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(result == 0)
    return descriptor
  }

  private func nextInTime(_ socket: Socket) throws -> Received? {
    let deadline = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < deadline {
      if let message = try socket.receive() { return message }
      try Poller.wait([socket], timeout: deadline - ContinuousClock.now)
    }
    return nil
  }
}

/// What a door said.
final class Notes: Sendable {
  private let kept = Mutex<[DoorNote]>([])
  var all: [DoorNote] { kept.withLock { $0 } }
  var keep: @Sendable (DoorNote) -> Void { { note in self.kept.withLock { $0.append(note) } } }

  /// Until there is one such; the test fails after ten seconds.
  func wait(_ isWanted: (DoorNote) -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(10)
    while !all.contains(where: isWanted) {
      try #require(ContinuousClock.now < deadline, "\(all)")
      try Poller.wait([], timeout: .milliseconds(2))
    }
  }
}
