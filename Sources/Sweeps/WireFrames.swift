// The JSON frame of every message: its type and fields.

import Foundation
import Grokking

enum WireKey: String, CodingKey {
  case version = "groksweep"
  case type
  case worker
  case semanticsVersion = "semantics_version"
  case holding, lease, point, progress
  case epochsPerSecond = "epochs_per_second"
  case result, seconds
  case kind = "class"
  case reason, epoch
  case leaseSeconds = "lease_seconds"
  case progressSeconds = "progress_seconds"
  case experiment
}

/// A worker's message; on decoding, the curve of a result comes in by the decoder's user info.
struct WorkerFrame: Codable {
  static let curveKey = CodingUserInfoKey(rawValue: "curve")!

  let message: WorkerMessage

  init(message: WorkerMessage) { self.message = message }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: WireKey.self)
    let version = try fields.decode(Int.self, forKey: .version)
    guard version == WireProtocol.version else { throw WireError.otherVersion(version) }
    let type = try fields.decode(String.self, forKey: .type)
    let curve = decoder.userInfo[WorkerFrame.curveKey] as? [UInt8]
    guard (curve != nil) == (type == "finished") else {
      throw WireError.malformed(
        curve == nil ? "a \"finished\" message without its second frame" : "a second frame that belongs to no result")
    }
    switch type {
    case "hello":
      message = .hello(
        try fields.decode(WireIdentity.self, forKey: .worker).identity, protocolVersion: version,
        semanticsVersion: try fields.decode(Int.self, forKey: .semanticsVersion),
        holding: try fields.decodeIfPresent(HeldLease.self, forKey: .holding))
    case "ready": message = .ready
    case "progress":
      message = .progress(
        lease: try fields.lease(), try fields.progress(),
        epochsPerSecond: try fields.number(.epochsPerSecond, in: 0...1e12))
    case "finished":
      let result = try fields.decode(WireResult.self, forKey: .result).result(curve: curve ?? [])
      message = .finished(
        lease: try fields.lease(), point: try fields.point(), result,
        seconds: try fields.number(.seconds, in: 0...1e12))
    case "failed":
      message = .failed(
        lease: try fields.lease(), point: try fields.point(), try fields.decode(AttemptClass.self, forKey: .kind),
        reason: try fields.text(.reason, limit: WireCodec.maximumReasonBytes))
    case "handed_back":
      message = .handedBack(
        lease: try fields.lease(), point: try fields.point(),
        epoch: try fields.whole(.epoch, in: 0...WireResult.maximumEpochs))
    case "goodbye": message = .goodbye
    default: throw WireError.malformed("\"\(WireText.clean(type, limit: 40))\" is no message of a worker")
    }
  }

  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: WireKey.self)
    var version = WireProtocol.version
    func type(_ name: String) throws { try fields.encode(name, forKey: .type) }
    switch message {
    case .hello(let identity, let protocolVersion, let semanticsVersion, let holding):
      version = protocolVersion
      try type("hello")
      try fields.encode(WireIdentity(identity), forKey: .worker)
      try fields.encode(semanticsVersion, forKey: .semanticsVersion)
      try fields.encodeIfPresent(holding, forKey: .holding)
    case .ready: try type("ready")
    case .progress(let lease, let progress, let epochsPerSecond):
      try type("progress")
      try fields.encode(lease, forKey: .lease)
      try fields.encode(progress, forKey: .progress)
      try fields.encode(epochsPerSecond, forKey: .epochsPerSecond)
    case .finished(let lease, let point, let result, let seconds):
      try type("finished")
      try fields.encode(lease, forKey: .lease)
      try fields.encode(point, forKey: .point)
      try fields.encode(try WireResult(result), forKey: .result)
      try fields.encode(seconds, forKey: .seconds)
    case .failed(let lease, let point, let kind, let reason):
      try type("failed")
      try fields.encode(lease, forKey: .lease)
      try fields.encode(point, forKey: .point)
      try fields.encode(kind, forKey: .kind)
      try fields.encode(WireText.clean(reason, limit: WireCodec.maximumReasonBytes), forKey: .reason)
    case .handedBack(let lease, let point, let epoch):
      try type("handed_back")
      try fields.encode(lease, forKey: .lease)
      try fields.encode(point, forKey: .point)
      try fields.encode(epoch, forKey: .epoch)
    case .goodbye: try type("goodbye")
    }
    try fields.encode(version, forKey: .version)
  }
}

/// A coordinator's message.
struct CoordinatorFrame: Codable {
  let message: CoordinatorMessage

  init(message: CoordinatorMessage) { self.message = message }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: WireKey.self)
    let version = try fields.decode(Int.self, forKey: .version)
    let type = try fields.decode(String.self, forKey: .type)
    guard version == WireProtocol.version || type == "refused" else { throw WireError.otherVersion(version) }
    switch type {
    case "welcome":
      message = .welcome(
        worker: try fields.decode(Int64.self, forKey: .worker),
        leaseSeconds: try fields.number(.leaseSeconds, in: 1e-3...1e9),
        progressSeconds: try fields.number(.progressSeconds, in: 1e-3...1e9))
    case "refused": message = .refused(reason: try fields.text(.reason, limit: WireCodec.maximumReasonBytes))
    case "say_hello": message = .sayHello
    case "grant":
      let experiment = try fields.decode(Experiment.self, forKey: .experiment)
      if let problem = experiment.problems().first {
        throw WireError.malformed("a granted experiment that cannot be trained: \(problem)")
      }
      message = .grant(lease: try fields.lease(), point: try fields.point(), experiment)
    case "wait": message = .wait
    case "receipt": message = .receipt(lease: try fields.lease(), point: try fields.point())
    case "revoked": message = .revoked(lease: try fields.lease())
    case "unwanted": message = .unwanted(lease: try fields.lease(), point: try fields.point())
    case "leave": message = .leave
    default: throw WireError.malformed("\"\(WireText.clean(type, limit: 40))\" is no message of a coordinator")
    }
  }

  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: WireKey.self)
    try fields.encode(WireProtocol.version, forKey: .version)
    func type(_ name: String) throws { try fields.encode(name, forKey: .type) }
    switch message {
    case .welcome(let worker, let leaseSeconds, let progressSeconds):
      try type("welcome")
      try fields.encode(worker, forKey: .worker)
      try fields.encode(leaseSeconds, forKey: .leaseSeconds)
      try fields.encode(progressSeconds, forKey: .progressSeconds)
    case .refused(let reason):
      try type("refused")
      try fields.encode(WireText.clean(reason, limit: WireCodec.maximumReasonBytes), forKey: .reason)
    case .sayHello: try type("say_hello")
    case .grant(let lease, let point, let experiment):
      try type("grant")
      try fields.encode(lease, forKey: .lease)
      try fields.encode(point, forKey: .point)
      try fields.encode(experiment, forKey: .experiment)
    case .wait: try type("wait")
    case .receipt(let lease, let point):
      try type("receipt")
      try fields.encode(lease, forKey: .lease)
      try fields.encode(point, forKey: .point)
    case .revoked(let lease):
      try type("revoked")
      try fields.encode(lease, forKey: .lease)
    case .unwanted(let lease, let point):
      try type("unwanted")
      try fields.encode(lease, forKey: .lease)
      try fields.encode(point, forKey: .point)
    case .leave: try type("leave")
    }
  }
}
