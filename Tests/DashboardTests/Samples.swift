// What the suites of this target start from: stores with runs of known numbers, and a browser without a screen.

import Dashboard
import Foundation
import Grokking
import Logging
import Results
import Sweeps

/// A store in a folder of its own, which goes when the test does. Used by one thread after the other.
final class Shelf: @unchecked Sendable {
  let folder: URL
  let path: String
  private(set) var store: Store
  private var leases: Int64 = 0

  static let now = Date(timeIntervalSince1970: 1_767_225_600)
  static let hostile = "a\"b'<script>alert(1)</script>&amp;"

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "groksweep-dashboard-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    path = folder.appending(path: "x.sqlite").path
    store = try Store(path: path, mode: .create)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// Weight decays × train fractions × seeds.
  @discardableResult
  func register(
    _ name: String = "decay", decays: [Double] = [1, 2], fractions: [Double] = [0.5], seeds: Int = 2
  ) throws -> [Point] {
    let settings = decays.flatMap { decay in fractions.map { (decay, $0) } }
    let points = settings.flatMap { decay, fraction in
      (0..<seeds).map { seed in
        Point(
          experiment: Experiment(
            task: LearningTask(operation: .add, modulus: 7, trainFraction: fraction),
            model: ModelShape(dModel: 8, heads: 2, dMLP: 16, activation: .relu, biases: true, dVocabOut: 8),
            training: TrainingSettings(epochs: 1000, weightDecay: decay), measure: MeasureSettings(evaluateEvery: 100),
            modelSeed: UInt64(seed), dataSeed: UInt64(seed)),
          setting: "weight_decay=\(decay)\(fractions.count > 1 ? " train_fraction=\(fraction)" : "")")
      }
    }
    _ = try store.register(
      SweepRegistration(
        name: name, canonical: "{}", fileText: "sweep: x\n", axes: ["training.weight_decay", "seed"], points: points
      ) { _ in [] }, at: Self.now)
    return points
  }

  /// To a worker whose machine has a name that no machine has.
  @discardableResult
  func grant(_ point: Point) throws -> LeaseID {
    leases += 1
    let identity = WorkerIdentity(
      boot: String(repeating: "0", count: 32), host: "node<1>", processID: 100, cpu: "Testium 9", cores: 4,
      kernelPath: "avx2", build: "0.1.0")
    try store.recordWorker(WorkerRecord(number: 1, identity: identity), at: Self.now)
    try store.recordGrant(AttemptRecord(lease: LeaseID(leases), point: point.id, worker: 1), at: Self.now)
    return LeaseID(leases)
  }

  func finish(_ point: Point, grokking: Int = 700) throws {
    let lease = try grant(point)
    _ = try store.store(
      Self.result(grokking: grokking), of: point.id, lease: lease, seconds: 10, worker: 1,
      at: Self.now.addingTimeInterval(10))
  }

  func fail(_ point: Point, reason: String) throws {
    let lease = try grant(point)
    _ = try store.commit(
      [.end(lease, .failed(.engineError, reason: reason, charged: true)), .failure(point.id, reason: reason)],
      at: Self.now)
  }

  static func result(grokking: Int, evaluations: Int = 11) -> RunResult {
    RunResult(
      outcome: .grokked(memorization: 100, grokking: grokking), epochs: 1000,
      evaluations: (0..<evaluations).map { index in
        let epoch = index * 1000 / (evaluations - 1)
        let left = max(0, 1 - Double(epoch) / Double(grokking))
        return Evaluation(
          epoch: epoch, trainLoss: 1 / Double(1 + epoch), testLoss: 0.001 + 5 * left, trainAccuracy: 1,
          testAccuracy: 1 - left, giniW_E: 0.5 - 0.1 * left, giniW_L: 0.6 - 0.1 * left,
          sumSquaredWeights: 100 + 50 * left)
      }, keyFrequencies: [KeyFrequency(frequency: 1, norm: 2.5, excludedLoss: 4.5)],
      digests: [EpochDigest(epoch: 1000, digest: String(repeating: "a", count: 64))], kernelPath: "avx2")
  }

  func site(_ unfinished: UnfinishedRuns = .unknown) -> Site {
    Site(store: path, unfinished: unfinished, logger: quiet, now: { Self.now.addingTimeInterval(60) })
  }
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// One request over a socket of its own, written out so that tests see every byte.
struct Answer {
  let status: Int
  let headers: [String: String]
  let body: String
}

struct Visitor {
  let port: UInt16

  private func connect(within seconds: Int = 60) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard code == 0 else { throw POSIXError(.ECONNREFUSED) }
    var limit = timeval(tv_sec: seconds, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    return descriptor
  }

  private func send(
    _ method: String, _ path: String, host: String?, _ headers: [(String, String)], closes: Bool, to descriptor: Int32
  ) {
    var text = "\(method) \(path) HTTP/1.1\r\n"
    if let host { text += "Host: \(host)\r\n" }
    for (name, value) in headers { text += "\(name): \(value)\r\n" }
    text += closes ? "Connection: close\r\n\r\n" : "\r\n"
    _ = Array(text.utf8).withUnsafeBytes {
      Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
  }

  /// - Parameters:
  ///   - host: the header; nil: none is sent.
  ///   - seconds: so long it is waited for more.
  func ask(
    _ path: String, method: String = "GET", host: String? = "127.0.0.1", within seconds: Int = 60,
    _ headers: [(String, String)] = []
  ) throws -> Answer {
    let descriptor = try connect(within: seconds)
    defer { close(descriptor) }
    send(method, path, host: host, headers, closes: true, to: descriptor)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      guard count > 0 else { break }
      bytes += buffer[..<count]
    }
    let text = String(decoding: bytes, as: UTF8.self)
    let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
    let lines = parts[0].split(separator: "\r\n")
    var found: [String: String] = [:]
    for line in lines.dropFirst() {
      let pair = line.split(separator: ":", maxSplits: 1)
      if pair.count == 2 { found[pair[0].lowercased()] = pair[1].trimmingCharacters(in: .whitespaces) }
    }
    let status = lines.first.flatMap { $0.split(separator: " ").dropFirst().first.flatMap { Int($0) } } ?? 0
    return Answer(status: status, headers: found, body: parts.count > 1 ? String(parts[1]) : "")
  }

  /// Connections that say nothing, or the beginning of a request and no more.
  func silent(_ count: Int, saying words: String = "") throws -> [Int32] {
    try (0..<count).map { _ in
      let descriptor = try connect()
      _ = Array(words.utf8).withUnsafeBytes {
        Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      return descriptor
    }
  }

  /// Reads a stream of events until `isEnough` of all that came; false when it ended before.
  func follow(_ path: String, until isEnough: (String) throws -> Bool) throws -> Bool {
    let descriptor = try connect()
    defer { close(descriptor) }
    send("GET", path, host: "127.0.0.1", [], closes: false, to: descriptor)
    var text = ""
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      guard count > 0 else { return false }
      text += String(decoding: buffer[..<count], as: UTF8.self)
      if try isEnough(text) { return true }
    }
  }
}

/// Serves `site` on a free port while `body` looks at it.
func serving(_ site: Site, token: String? = nil, _ body: @escaping @Sendable (Visitor, Access) throws -> Void)
  async throws
{
  let server = DashboardServer(site, at: ListenAddress("127.0.0.1:0")!, token: token, logger: quiet)
  let (accesses, sent) = AsyncStream.makeStream(of: Access.self)
  let task = Task { try await server.run { sent.yield($0) } }
  defer { task.cancel() }
  var known: Access?
  for await access in accesses {
    known = access
    break
  }
  let access = known!
  // On a thread: sockets that block are not for tasks.
  try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
    Thread.detachNewThread {
      continuation.resume(with: Result { try body(Visitor(port: access.address.port), access) })
    }
  }
}
