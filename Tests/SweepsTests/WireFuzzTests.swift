// The decoder against frames that somebody made to break it. Whatever the bytes are, it throws a sentence or gives a
// message that is one: it encodes again and decodes to the same value. And no such message breaks the machines that it
// is for.
//
// Ten thousand inputs by default; a million with GROKSWEEP_TEST_SOAK=1, from the seed in GROKSWEEP_TEST_SEED or a new
// one, which is printed. Input n follows from seed + n alone. One that ends the process is printed as hexadecimal digits
// by a signal handler, frame by frame.

import Foundation
import Grokking
import Simulation
import Sweeps
import Testing

@Suite(.serialized) struct WireFuzzTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let isSoak = environment["GROKSWEEP_TEST_SOAK"] == "1"
  private static let count = isSoak ? 1_000_000 : 10_000
  private static let seed: UInt64 =
    environment["GROKSWEEP_TEST_SEED"].flatMap(UInt64.init)
    ?? (isSoak ? UInt64.random(in: 0 ... .max >> 1) : 20_261_125)

  static var requests: [OperatorRequest] {
    [
      .status, .explain(point: "0123ab"), .submit(name: "a.yaml", text: "sweep: a", overrides: ["seed=1"], priority: 3),
      .setSweep("a", .paused), .setPriority(sweep: "a", -1), .drain(worker: "7"), .admit(host: "lab2"),
      .retry(.failed(sweep: nil)),
      .verify(.sample(share: 0.02, seed: 9)), .retry(.ids(["ab"])), .verify(.condition("modulus = 113")),
    ]
  }

  static var replies: [OperatorReply] {
    [
      .answer(json: "{\"a\": [1, 2]}"), .done("paused"), .failed("no such sweep", isBadInput: true),
      .failed("disk", isBadInput: false), .notAllowed("a reader"),
    ]
  }

  /// Every kind of message, in both directions.
  static let recorded: [[[UInt8]]] = {
    do {
      return try WireCodecTests.workerMessages.map { try WireCodec.encode($0) }
        + WireCodecTests.coordinatorMessages.map { try WireCodec.encode($0) }
        + requests.enumerated().map { try WireCodec.encode($1, number: Int64($0)) }
        + replies.enumerated().map { try WireCodec.encode($1, number: Int64($0)) }
    } catch { preconditionFailure("a message of ours cannot be encoded: \(error)") }
  }()

  @Test func `damaged frames give a sentence or a message, and a message survives the way back`() throws {
    // To standard error, which no buffer holds back when an input ends the process.
    if Self.isSoak { Self.say("\(Self.count) inputs from GROKSWEEP_TEST_SEED=\(Self.seed)") }
    LastInput.watch()
    let before = try Self.peakKilobytes()
    var understood = 0
    for number in 0..<Self.count {
      var mutator = WireMutator(seed: Self.seed &+ UInt64(number), recorded: Self.recorded)
      let frames = mutator.next()
      LastInput.note(frames)
      let complaint = Self.complaint(about: frames, &understood)
      if let complaint {
        Issue.record("input \(number) of seed \(Self.seed): \(complaint): \(Self.hex(frames))")
        return
      }
    }
    #expect(understood > Self.count / 50, "too few inputs get past the first checks: \(understood)")
    let grown = try Self.peakKilobytes() - before
    #expect(grown < 512 << 10, "inputs of at most a few hundred KiB took \(grown) KiB of memory")
    if Self.isSoak { Self.say("\(understood) messages understood, \(grown) KiB more memory at most") }
  }

  private static func say(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data("WireFuzzTests: \(text)\n".utf8))
  }

  /// Bytes of the largest frame that the mutator makes are far below this; the decoder may not make much more of them.
  private static func peakKilobytes() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return try #require(line.flatMap { Int($0.filter(\.isNumber)) })
  }

  /// What is wrong, or nil.
  private static func complaint(about frames: [[UInt8]], _ understood: inout Int) -> String? {
    if let message = try? WireCodec.decodeInbound(frames) {
      understood += 1
      switch message {
      case .worker(let message):
        guard let again = try? WireCodec.encode(message), (try? WireCodec.decodeInbound(again)) == .worker(message)
        else {
          return "a worker's message that does not come back"
        }
      case .request(let request, let number):
        guard let again = try? WireCodec.encode(request, number: number),
          (try? WireCodec.decodeInbound(again)) == .request(request, number: number)
        else { return "a request that does not come back" }
      }
    }
    if let message = try? WireCodec.decodeCoordinatorMessage(frames) {
      understood += 1
      guard let again = try? WireCodec.encode(message), (try? WireCodec.decodeCoordinatorMessage(again)) == message
      else {
        return "a coordinator's message that does not come back"
      }
    }
    if case (let reply, let number)?? = try? WireCodec.decodeReply(frames) {
      understood += 1
      guard let again = try? WireCodec.encode(reply, number: number), let back = try? WireCodec.decodeReply(again),
        back.0 == reply || number == 0
      else { return "a reply that does not come back" }
    }
    return nil
  }

  @Test func `whatever decodes is taken by the machines that it is for`() throws {
    LastInput.watch()
    var bench = SchedulerBench(points: 4)
    bench.join(1)
    var session = WorkerSession(SessionConfiguration(identity: MachineSamples.identity(1)))
    var now = MonotonicInstant(nanoseconds: 0)
    _ = session.handle(.start, at: now)
    for number in 0..<Self.count {
      var mutator = WireMutator(seed: Self.seed &+ UInt64(number), recorded: Self.recorded)
      let frames = mutator.next()
      LastInput.note(frames)
      if case .worker(let message)? = try? WireCodec.decodeInbound(frames) { _ = bench.say(1 + number % 3, message) }
      if let message = try? WireCodec.decodeCoordinatorMessage(frames) {
        // A worker that was sent away is started again.
        for case .exit in session.handle(.message(message), at: now) {
          session = WorkerSession(SessionConfiguration(identity: MachineSamples.identity(1)))
          _ = session.handle(.start, at: now)
        }
      }
      if number % 16 == 0 {
        now = now.advanced(bySeconds: 1)
        bench.wait(1)
        _ = bench.handle(.tick)
        _ = session.handle(.tick, at: now)
      }
    }
  }

  @Test(arguments: [100, 511, 512, 513, 5000, 120_000])
  func `brackets within brackets are refused before they fill the stack`(depth: Int) {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
      let bomb = String(repeating: open, count: depth) + "0" + String(repeating: close, count: depth)
      for text in [bomb, "{\"groksweep\":\(WireProtocol.version),\"type\":\"hello\",\"worker\":\(bomb)}"] {
        let frames = [Array(text.utf8)]
        #expect(throws: WireError.self) { try WireCodec.decodeInbound(frames) }
        #expect(throws: WireError.self) { try WireCodec.decodeCoordinatorMessage(frames) }
        // A reply's reader passes over what is said to workers, whatever is in it.
        if text == bomb || depth > 511 { #expect(throws: WireError.self) { try WireCodec.decodeReply(frames) } }
      }
    }
  }

  /// Found by seed 20261125: the decoder trapped where the bracket that was too many was the last byte.
  @Test(arguments: [1, 64, 65, 508, 509, 510, 512, 513])
  func `a frame that ends with an open bracket is refused`(depth: Int) {
    for open in ["[", "{\"a\":", "{"] {
      let bomb = "{\"groksweep\":3,\"number\":8,\"request\":{\"retry\":{\"_0\":{\"ids\":"
      for start in [bomb, ""] {
        let frames = [Array((start + String(repeating: open, count: depth)).utf8)]
        #expect(throws: WireError.self) { try WireCodec.decodeInbound(frames) }
        #expect(throws: WireError.self) { try WireCodec.decodeCoordinatorMessage(frames) }
        #expect(throws: WireError.self) { try WireCodec.decodeReply(frames) }
      }
    }
  }

  @Test func `brackets in a text nest nothing`() throws {
    let text = String(repeating: "[\\\"{", count: 500)
    let frames = try WireCodec.encode(.submit(name: "a.yaml", text: text, overrides: [], priority: nil), number: 1)
    #expect(
      try WireCodec.decodeInbound(frames)
        == .request(.submit(name: "a.yaml", text: text, overrides: [], priority: nil), number: 1))
  }

  /// What a worker makes of a message ends up in files whose names are a point's id and numbers: nothing that a coordinator
  /// sends can name another place.
  @Test func `no name of a file can come from the net`() throws {
    let grant = try WireCodec.encode(
      .grant(lease: LeaseID(1), point: MachineSamples.id(1), MachineSamples.experiment(1)))
    let text = String(decoding: grant[0], as: UTF8.self)
    for name in ["../../../../etc/cron.d/x", "/tmp/x", "", String(repeating: "A", count: 64), "\\u002e\\u002e/x"] {
      let changed = text.replacingOccurrences(of: MachineSamples.id(1).hex, with: name)
      #expect(changed != text)
      #expect(throws: WireError.self) { try WireCodec.decodeCoordinatorMessage([Array(changed.utf8)]) }
    }
    // Parts of a checkpoint are numbers within the run's own bounds.
    let contents = WireCodecTests.contents
    let pull = try WireCodec.encode(
      .pull(
        lease: LeaseID(1), point: MachineSamples.id(1), CheckpointRequest(missing: contents, offset: 0, count: 5)))
    let asked = String(decoding: pull[0], as: UTF8.self)
    for part in ["[[-1,3]]", "[[\"../x\",3]]", "[[3,1]]", "[[0,9223372036854775807]]"] {
      let changed = asked.replacingOccurrences(of: #""weights":[[0,3],[7,8]]"#, with: "\"weights\":\(part)")
      #expect(changed != asked)
      #expect(throws: WireError.self) { try WireCodec.decodeCoordinatorMessage([Array(changed.utf8)]) }
    }
  }

  private static func hex(_ frames: [[UInt8]]) -> String {
    frames.map { frame in
      frame.map { byte in String(byte >> 4, radix: 16) + String(byte & 15, radix: 16) }.joined()
    }.joined(separator: " ")
  }
}

/// The input that is being decoded, where a signal handler finds it. Used by one thread at a time.
private enum LastInput {
  private static let room = 1 << 20
  nonisolated(unsafe) private static let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: room)
  nonisolated(unsafe) private static var length = 0

  static func note(_ frames: [[UInt8]]) {
    var place = 0
    for frame in frames where place + frame.count + 8 < room {
      for byte in 0..<8 { bytes[place + byte] = UInt8(truncatingIfNeeded: frame.count >> (8 * byte)) }
      frame.withUnsafeBufferPointer {
        if let start = $0.baseAddress { (bytes + place + 8).update(from: start, count: $0.count) }
      }
      place += 8 + frame.count
    }
    length = place
  }

  /// From now on a trap prints what was noted, each frame after the eight bytes of its length, and then ends the process.
  static func watch() {
    _ = bytes
    for number in [SIGILL, SIGTRAP, SIGSEGV, SIGABRT] {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { number in
        LastInput.print()
        signal(number, SIG_DFL)
        raise(number)
      }
      action.sa_flags = SA_NODEFER
      sigaction(number, &action, nil)
    }
  }

  private static func print() {
    let (before, digits): (StaticString, StaticString) = ("\nWireFuzzTests: the last input was ", "0123456789abcdef")
    _ = write(2, before.utf8Start, before.utf8CodeUnitCount)
    for place in 0..<length {
      _ = write(2, digits.utf8Start + Int(bytes[place] >> 4), 1)
      _ = write(2, digits.utf8Start + Int(bytes[place] & 15), 1)
    }
    _ = write(2, "\n", 1)
  }
}
