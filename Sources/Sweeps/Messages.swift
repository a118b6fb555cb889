// What coordinator and workers say to each other, as values. The codec turns them into frames; nobody here sends.
//
// Every message that matters has an answer: hello → welcome or refused, ready → grant or wait, finished → receipt or
// unwanted, failed and handedBack → receipt. Whoever gets no answer says it again.

import Grokking

/// The version of this protocol. Coordinator and workers must agree on it, and on `Engine.semanticsVersion`.
package enum WireProtocol {
  package static let version = 2
}

/// SHA-256 of a point's canonical experiment and the engine's semantics version: 64 hexadecimal digits.
package struct PointID: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
  package let hex: String

  /// nil unless `hex` is 64 lower-case hexadecimal digits.
  package init?(hex: String) {
    guard hex.utf8.count == 64, hex.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else {
      return nil
    }
    self.hex = hex
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let id = PointID(hex: text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "a point's id is 64 hexadecimal digits")
    }
    self = id
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(hex)
  }

  package static func < (left: PointID, right: PointID) -> Bool { left.hex < right.hex }

  /// The first 12 digits: enough for people.
  package var short: String { String(hex.prefix(12)) }
  package var description: String { hex }
}

/// One permission to run one point, until the coordinator's clock ends it. Never used twice, not even after a restart.
package struct LeaseID: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
  package let number: Int64
  package init(_ number: Int64) { self.number = number }
  package init(from decoder: any Decoder) throws {
    number = try decoder.singleValueContainer().decode(Int64.self)
  }
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(number)
  }
  package static func < (left: LeaseID, right: LeaseID) -> Bool { left.number < right.number }
  package var description: String { "lease \(number)" }
}

/// What a worker process says of itself.
package struct WorkerIdentity: Hashable, Sendable, Codable {
  /// Random, new at every start of the process: 32 hexadecimal digits.
  package var boot: String
  package var host: String
  package var processID: Int32
  /// The processor's name.
  package var cpu: String
  package var cores: Int
  package var kernelPath: String
  /// groksweep's own version, for people.
  package var build: String

  package init(
    boot: String, host: String, processID: Int32, cpu: String, cores: Int, kernelPath: String, build: String
  ) {
    self.boot = boot
    self.host = host
    self.processID = processID
    self.cpu = cpu
    self.cores = cores
    self.kernelPath = kernelPath
    self.build = build
  }
}

/// Why an attempt ended without a result.
package enum AttemptClass: String, Hashable, Sendable, Codable, CaseIterable {
  /// Handed back in good order (signal, walltime): not charged to the point.
  case preempted
  /// The lease ended in silence.
  case lost
  /// The process died.
  case crashed
  case stalled
  case engineError = "engine_error"
  case badPoint = "bad_point"
}

/// The lease that a worker holds when it says hello again.
package struct HeldLease: Hashable, Sendable, Codable {
  package var lease: LeaseID
  package var point: PointID
  package init(lease: LeaseID, point: PointID) {
    self.lease = lease
    self.point = point
  }
}

package enum WorkerMessage: Hashable, Sendable {
  case hello(WorkerIdentity, protocolVersion: Int, semanticsVersion: Int, holding: HeldLease?)
  case ready
  case progress(lease: LeaseID, RunProgress, epochsPerSecond: Double)
  /// At least once, until a receipt for the point comes. `seconds` is wall time of training and analysis.
  case finished(lease: LeaseID, point: PointID, RunResult, seconds: Double)
  case failed(lease: LeaseID, point: PointID, AttemptClass, reason: String)
  /// The worker leaves and gives its point back.
  case handedBack(lease: LeaseID, point: PointID, epoch: Int)
  case goodbye
}

package enum CoordinatorMessage: Hashable, Sendable {
  /// `worker` is the coordinator's number for this worker; progress is wanted at least every `progressSeconds`.
  case welcome(worker: Int64, leaseSeconds: Double, progressSeconds: Double)
  /// Will never be welcome: other protocol or engine version. The worker stops with these words.
  case refused(reason: String)
  /// The coordinator does not know this peer (it was restarted): say hello first.
  case sayHello
  case grant(lease: LeaseID, point: PointID, Experiment)
  /// Nothing to hand out now; a grant follows by itself when there is.
  case wait
  /// The result, failure or hand-back of this point was committed: forget it.
  case receipt(lease: LeaseID, point: PointID)
  /// The lease is not (or no longer) yours: stop training and say ready.
  case revoked(lease: LeaseID)
  /// No sweep here has this point: keep its result for the coordinator that asked for it, and say no more of it.
  case unwanted(lease: LeaseID, point: PointID)
  /// The sweep is over: leave.
  case leave
}
