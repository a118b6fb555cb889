// Real sockets on loopback and ipc. Every wait is a poll with a deadline.

import Foundation
import Testing
import ZeroMQ

@Suite struct SocketTests {
  let context: Context
  let folder: String

  init() throws {
    context = try Context()
    folder = NSTemporaryDirectory() + "zmq" + String(UInt32.random(in: 0 ... .max), radix: 36)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  @Test(arguments: ["tcp://127.0.0.1:0", "ipc"])
  func `a message of several frames arrives whole and its answer too`(endpoint: String) throws {
    defer { removeFolder() }
    let router = try Socket(context, .router)
    let real = try router.bind(endpoint == "ipc" ? "ipc://\(folder)/s" : endpoint)
    #expect(!real.hasSuffix(":0"))
    let dealer = try Socket(context, .dealer)
    try dealer.connect(real)
    let large = [UInt8](repeating: 7, count: 300_000)
    try sendInTime([[1, 2, 3], [], large], through: dealer)
    let received = try #require(try receiveInTime(router))
    #expect(Array(received.dropFirst()) == [[1, 2, 3], [], large])
    #expect(try router.send([received[0], [9]]) == .queued)
    #expect(try receiveInTime(dealer) == [[9]])
    #expect(try dealer.receive() == nil)
  }

  @Test func `a port in use is an error that says what to do`() throws {
    defer { removeFolder() }
    let first = try Socket(context, .router)
    let endpoint = try first.bind("tcp://127.0.0.1:0")
    let second = try Socket(context, .router)
    let error = #expect(throws: ZeroMQError.self) { try second.bind(endpoint) }
    #expect(error?.operation == .listen)
    #expect(
      error?.description
        == "cannot listen on \(endpoint): address already in use; is another coordinator running there? "
        + "Choose another port, or port 0 for a free one")
  }

  @Test func `an ipc path in use is refused`() throws {
    defer { removeFolder() }
    let endpoint = "ipc://\(folder)/s"
    let first = try Socket(context, .router)
    try first.bind(endpoint)
    let second = try Socket(context, .router)
    let error = #expect(throws: ZeroMQError.self) { try second.bind(endpoint) }
    #expect(error?.description.contains("address already in use") == true)
  }

  @Test func `an ipc path that a killed process left behind is taken over`() throws {
    defer { removeFolder() }
    let path = folder + "/s"
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let bound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    close(descriptor)
    try #require(bound == 0)
    let router = try Socket(context, .router)
    try router.bind("ipc://\(path)")
  }

  @Test func `an ipc path is gone when its listener is`() throws {
    defer { removeFolder() }
    var listener: Socket? = try Socket(context, .router)
    try listener?.bind("ipc://\(folder)/s")
    #expect(access(folder + "/s", F_OK) == 0)
    listener = nil
    #expect(access(folder + "/s", F_OK) != 0)
  }

  @Test func `a file that is not a socket is never deleted by an ipc endpoint`() throws {
    defer { removeFolder() }
    let path = folder + "/precious.sqlite"
    try Data("data".utf8).write(to: URL(fileURLWithPath: path))
    let router = try Socket(context, .router)
    let error = #expect(throws: ZeroMQError.self) { try router.bind("ipc://\(path)") }
    #expect(error?.description.contains("a file that is not a socket lies there") == true)
    #expect(FileManager.default.contents(atPath: path) == Data("data".utf8))
  }

  @Test(
    arguments: [
      ("127.0.0.1:5555", "write tcp://HOST:PORT"),
      ("smoke://signals", "unknown kind of address"),
      ("tcp://127.0.0.1:lots", "write tcp://HOST:PORT"),
      ("tcp://192.0.2.1:5555", "no such address"),
      ("ipc:///tmp/" + String(repeating: "long", count: 40), "too long for a socket (at most 107 bytes)"),
      ("ipc:///no/such/folder/s", "the folder of that path does not exist"),
    ])
  func `a bad endpoint is named together with the cause`(endpoint: String, cause: String) throws {
    defer { removeFolder() }
    let router = try Socket(context, .router)
    let error = try #require(#expect(throws: ZeroMQError.self) { try router.bind(endpoint) })
    #expect(error.description.hasPrefix("cannot listen on \(endpoint): "))
    #expect(error.description.contains(cause), "\(error)")
  }

  @Test func `an address that can never be connected to is refused at once`() throws {
    defer { removeFolder() }
    let dealer = try Socket(context, .dealer)
    #expect(throws: ZeroMQError.self) { try dealer.connect("nonsense") }
  }

  @Test func `a message above the limit is refused before it can cost the link`() throws {
    defer { removeFolder() }
    let dealer = try Socket(context, .dealer, options: SocketOptions(maximumMessageSize: 1000))
    let error = #expect(throws: ZeroMQError.self) { try dealer.send([[1], [UInt8](repeating: 0, count: 1001)]) }
    #expect(error?.description == "cannot send a message: it has 1001 bytes and the limit is 1000")
  }

  @Test func `a peer that sends more than the limit is cut off and another one is still served`() throws {
    defer { removeFolder() }
    let router = try Socket(context, .router, options: SocketOptions(maximumMessageSize: 1000))
    let endpoint = try router.bind("tcp://127.0.0.1:0")
    let loud = try Socket(context, .dealer)
    try loud.connect(endpoint)
    try sendInTime([[1]], through: loud)
    let hello = try #require(try receiveInTime(router))
    #expect(try loud.send([[UInt8](repeating: 0, count: 2000)]) == .queued)
    let quiet = try Socket(context, .dealer)
    try quiet.connect(endpoint)
    try sendInTime([[2]], through: quiet)
    #expect(try receiveInTime(router)?.last == [2])
    // The loud peer's name has gone with its link; its next link has a new name.
    try sendInTime([[3]], through: loud)
    let again = try #require(try receiveInTime(router))
    #expect(again.last == [3])
    #expect(again.first != hello.first)
    #expect(try router.send([hello[0], [0]]) == .unreachable)
  }

  @Test func `a router says that it knows no such peer`() throws {
    defer { removeFolder() }
    let router = try Socket(context, .router)
    try router.bind("tcp://127.0.0.1:0")
    #expect(try router.send([[0, 1, 2, 3, 4], [1]]) == .unreachable)
  }

  @Test func `a dealer without a link, and a peer that does not read, say full instead of hoarding`() throws {
    defer { removeFolder() }
    let dealer = try Socket(context, .dealer)
    #expect(try dealer.send([[1], [2]]) == .full)
    let router = try Socket(context, .router, options: SocketOptions(highWaterMark: 5))
    let endpoint = try router.bind("ipc://\(folder)/s")
    let reader = try Socket(context, .dealer, options: SocketOptions(highWaterMark: 5))
    try reader.connect(endpoint)
    try sendInTime([[1]], through: reader)
    let name = try #require(try receiveInTime(router))[0]
    let frame = [UInt8](repeating: 1, count: 1 << 20)
    var outcomes: [SendOutcome] = []
    while outcomes.count < 1000, outcomes.last != .full { outcomes.append(try router.send([name, frame])) }
    #expect(outcomes.last == .full)
    #expect(outcomes.dropLast().allSatisfy { $0 == .queued })
    for _ in 1..<outcomes.count { #expect(try receiveInTime(reader) == [frame]) }
  }

  @Test func `a message of too many frames is cut, not hoarded`() throws {
    defer { removeFolder() }
    let router = try Socket(context, .router)
    let endpoint = try router.bind("ipc://\(folder)/s")
    let dealer = try Socket(context, .dealer)
    try dealer.connect(endpoint)
    let most = Array(repeating: [UInt8(1)], count: Socket.maximumFrames)
    try sendInTime(most, through: dealer)
    // The router adds the peer's name: one frame more than a message may have, which the reader can tell and refuse.
    #expect(try receiveInTime(router)?.count == Socket.maximumFrames + 1)
  }

  private func removeFolder() { try? FileManager.default.removeItem(atPath: folder) }
}

/// Sends as soon as a link stands; gives up when there is none for long.
func sendInTime(_ frames: [[UInt8]], through socket: Socket) throws {
  let deadline = ContinuousClock.now + patience
  while try socket.send(frames) != .queued {
    try #require(ContinuousClock.now < deadline, "no link")
    try Poller.wait([socket], timeout: .milliseconds(2))
  }
}

/// The next message, or nil when none comes for long.
func receiveInTime(_ socket: Socket) throws -> [[UInt8]]? {
  let deadline = ContinuousClock.now + patience
  while ContinuousClock.now < deadline {
    if let message = try socket.receive() { return message.frames }
    try Poller.wait([socket], timeout: deadline - ContinuousClock.now)
  }
  return nil
}
