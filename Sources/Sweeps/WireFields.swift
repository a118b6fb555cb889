// Parts of messages with their bounds: whatever is decoded here is finite, short and in range.

import Foundation
import Grokking

extension KeyedDecodingContainer where K == WireKey {
  func lease() throws -> LeaseID { try decode(LeaseID.self, forKey: .lease) }

  func point() throws -> PointID { try decode(PointID.self, forKey: .point) }

  func number(_ key: WireKey, in range: ClosedRange<Double>) throws -> Double {
    try WireBounds.check(try decode(Double.self, forKey: key), in: range, key.stringValue)
  }

  func whole(_ key: WireKey, in range: ClosedRange<Int>) throws -> Int {
    try WireBounds.check(try decode(Int.self, forKey: key), in: range, key.stringValue)
  }

  func numberIfPresent(_ key: WireKey, in range: ClosedRange<Double>) throws -> Double? {
    try contains(key) ? number(key, in: range) : nil
  }

  func text(_ key: WireKey, limit: Int) throws -> String {
    try WireBounds.check(try decode(String.self, forKey: key), limit: limit, key.stringValue)
  }

  func progress() throws -> RunProgress {
    let progress = try decode(RunProgress.self, forKey: .progress)
    try WireBounds.check(progress)
    return progress
  }
}

extension KeyedDecodingContainer where K == WireKey {
  func hello(_ version: Int) throws -> Hello {
    let predecessor = try decodeIfPresent(Predecessor.self, forKey: .predecessor)
    if let predecessor {
      try WireIdentity.check(boot: predecessor.boot)
      try WireBounds.check(predecessor.ending, limit: WireCodec.maximumNameBytes, "predecessor")
    }
    let selfTest = try contains(.selfTest) ? text(.selfTest, limit: 64) : nil
    return Hello(
      try decode(WireIdentity.self, forKey: .worker).identity, protocolVersion: version,
      semanticsVersion: try decode(Int.self, forKey: .semanticsVersion),
      holding: try decodeIfPresent(HeldLease.self, forKey: .holding), predecessor: predecessor,
      secondsLeft: try numberIfPresent(.secondsLeft, in: 0...1e9), selfTest: selfTest)
  }
}

extension KeyedEncodingContainer where K == WireKey {
  mutating func encode(_ hello: Hello) throws {
    try encode(WireIdentity(hello.identity), forKey: .worker)
    try encode(hello.semanticsVersion, forKey: .semanticsVersion)
    try encodeIfPresent(hello.holding, forKey: .holding)
    if let predecessor = hello.predecessor {
      let ending = WireText.clean(predecessor.ending, limit: WireCodec.maximumNameBytes)
      try encode(Predecessor(boot: predecessor.boot, ending: ending), forKey: .predecessor)
    }
    try encodeIfPresent(hello.secondsLeft, forKey: .secondsLeft)
    try encodeIfPresent(hello.selfTest, forKey: .selfTest)
  }

  mutating func encode(_ lease: LeaseID, _ point: PointID) throws {
    try encode(lease, forKey: .lease)
    try encode(point, forKey: .point)
  }
}

enum WireBounds {
  @discardableResult
  static func check<Value: Comparable>(_ value: Value, in range: ClosedRange<Value>, _ name: String) throws -> Value {
    guard range.contains(value) else {
      throw WireError.malformed(
        "\"\(name)\" of a message is \(value); it must lie between \(range.lowerBound) and \(range.upperBound)")
    }
    return value
  }

  static func check(_ progress: RunProgress) throws {
    for (name, value) in [("epoch", progress.epoch), ("epochs", progress.epochs)] {
      try check(value, in: 0...WireResult.maximumEpochs, name)
    }
    for (name, value) in [("work", progress.work), ("total_work", progress.totalWork)] {
      try check(value, in: 0...Int.max, name)
    }
    let accuracies = [("train_accuracy", progress.trainAccuracy), ("test_accuracy", progress.testAccuracy)]
    for case (let name, let value?) in accuracies { try check(value, in: 0...1, name) }
  }

  @discardableResult
  static func check(_ text: String, limit: Int, _ name: String) throws -> String {
    guard WireText.isClean(text, limit: limit) else {
      throw WireError.malformed(
        "\"\(name)\" of a message is longer than \(limit) bytes or has control characters in it")
    }
    return text
  }
}

struct WireIdentity: Codable {
  let identity: WorkerIdentity

  init(_ identity: WorkerIdentity) { self.identity = identity }

  private enum Key: String, CodingKey {
    case boot, host, cpu, cores, build
    case processID = "process_id"
    case kernelPath = "kernel_path"
  }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: Key.self)
    func text(_ key: Key) throws -> String {
      try WireBounds.check(
        try fields.decode(String.self, forKey: key), limit: WireCodec.maximumNameBytes, key.stringValue)
    }
    let boot = try text(.boot)
    try Self.check(boot: boot)
    identity = WorkerIdentity(
      boot: boot, host: try text(.host), processID: try fields.decode(Int32.self, forKey: .processID),
      cpu: try text(.cpu),
      cores: try WireBounds.check(try fields.decode(Int.self, forKey: .cores), in: 1...65_536, "cores"),
      kernelPath: try text(.kernelPath), build: try text(.build))
  }

  static func check(boot: String) throws {
    guard boot.utf8.count == 32, boot.utf8.allSatisfy(WireHex.isDigit) else {
      throw WireError.malformed("\"boot\" of a hello must be 32 hexadecimal digits")
    }
  }

  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: Key.self)
    func put(_ text: String, _ key: Key) throws {
      try fields.encode(WireText.clean(text, limit: WireCodec.maximumNameBytes), forKey: key)
    }
    try put(identity.boot, .boot)
    try put(identity.host, .host)
    try fields.encode(identity.processID, forKey: .processID)
    try put(identity.cpu, .cpu)
    try fields.encode(identity.cores, forKey: .cores)
    try put(identity.kernelPath, .kernelPath)
    try put(identity.build, .build)
  }
}
