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
  case experiment, checkpoint, predecessor, request
  case secondsLeft = "seconds_left"
  case selfTest = "self_test"
  case checkpointSeconds = "checkpoint_seconds"
  case keepsCensored = "keeps_censored"
  case keepsWeights = "keeps_weights"
  case offset, count, number, text
}

/// A worker's message; on decoding, the frames after the first come in by the decoder's user info.
struct WorkerFrame: Codable {
  static let furtherKey = CodingUserInfoKey(rawValue: "further")!

  let message: WorkerMessage

  init(message: WorkerMessage) { self.message = message }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: WireKey.self)
    let version = try fields.decode(Int.self, forKey: .version)
    guard version == WireProtocol.version else { throw WireError.otherVersion(version) }
    let type = try fields.decode(String.self, forKey: .type)
    let further = WireFrames.further(decoder)
    try WireFrames.check(further, of: type, allowed: ["finished": 1...2, "chunk": 1...1])
    switch type {
    case "hello":
      message = .hello(try fields.hello(version))
    case "ready": message = .ready
    case "progress":
      message = .progress(
        lease: try fields.lease(), try fields.progress(),
        epochsPerSecond: try fields.number(.epochsPerSecond, in: 0...1e12))
    case "finished":
      let result = try fields.decode(WireResult.self, forKey: .result).result(
        curve: further[0], weights: further.count > 1 ? further[1] : nil)
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
    case "offer":
      message = .offer(lease: try fields.lease(), point: try fields.point(), try fields.contents())
    case "chunk":
      message = .chunk(lease: try fields.lease(), point: try fields.point(), try fields.chunk(further[0]))
    case "chunk_gone":
      message = .chunkGone(
        lease: try fields.lease(), point: try fields.point(),
        epoch: try fields.whole(.epoch, in: 0...WireResult.maximumEpochs))
    case "fetch":
      message = .fetch(lease: try fields.lease(), point: try fields.point(), try fields.checkpointRequest())
    case "unreadable":
      message = .unreadable(
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
    case .hello(let hello):
      version = hello.protocolVersion
      try type("hello")
      try fields.encode(hello)
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
    case .offer(let lease, let point, let contents):
      try type("offer")
      try fields.encode(lease, point)
      try fields.encode(WireContents(contents), forKey: .checkpoint)
    case .chunk(let lease, let point, let chunk):
      try type("chunk")
      try fields.encode(lease, point)
      try fields.encode(chunk)
    case .chunkGone(let lease, let point, let epoch):
      try type("chunk_gone")
      try fields.encode(lease, point)
      try fields.encode(epoch, forKey: .epoch)
    case .fetch(let lease, let point, let request):
      try type("fetch")
      try fields.encode(lease, point)
      try fields.encode(request)
    case .unreadable(let lease, let point, let epoch):
      try type("unreadable")
      try fields.encode(lease, point)
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
    let further = WireFrames.further(decoder)
    try WireFrames.check(further, of: type, allowed: ["chunk": 1...1])
    switch type {
    case "welcome":
      message = .welcome(
        worker: try fields.decode(Int64.self, forKey: .worker),
        leaseSeconds: try fields.number(.leaseSeconds, in: 1e-3...1e9),
        progressSeconds: try fields.number(.progressSeconds, in: 1e-3...1e9),
        checkpointSeconds: try fields.numberIfPresent(.checkpointSeconds, in: 1e-3...1e9),
        keepsCensored: try fields.decodeIfPresent(Bool.self, forKey: .keepsCensored) ?? false,
        keepsWeights: try fields.decodeIfPresent(Bool.self, forKey: .keepsWeights) ?? false)
    case "refused": message = .refused(reason: try fields.text(.reason, limit: WireCodec.maximumReasonBytes))
    case "barred": message = .barred(reason: try fields.text(.reason, limit: WireCodec.maximumReasonBytes))
    case "say_hello": message = .sayHello
    case "grant":
      let experiment = try fields.decode(Experiment.self, forKey: .experiment)
      if let problem = experiment.problems().first {
        throw WireError.malformed("a granted experiment that cannot be trained: \(problem)")
      }
      let checkpoint = try fields.contentsIfPresent()
      if let problem = checkpoint?.problem(for: experiment) {
        throw WireError.malformed("a grant with \(problem)")
      }
      message = .grant(lease: try fields.lease(), point: try fields.point(), experiment, checkpoint: checkpoint)
    case "wait": message = .wait
    case "receipt": message = .receipt(lease: try fields.lease(), point: try fields.point())
    case "revoked": message = .revoked(lease: try fields.lease())
    case "unwanted": message = .unwanted(lease: try fields.lease(), point: try fields.point())
    case "pull":
      message = .pull(lease: try fields.lease(), point: try fields.point(), try fields.checkpointRequest())
    case "checkpoint_kept":
      message = .checkpointKept(
        lease: try fields.lease(), point: try fields.point(),
        epoch: try fields.whole(.epoch, in: 0...WireResult.maximumEpochs))
    case "chunk":
      message = .chunk(lease: try fields.lease(), point: try fields.point(), try fields.chunk(further[0]))
    case "chunk_gone":
      message = .chunkGone(
        lease: try fields.lease(), point: try fields.point(),
        epoch: try fields.whole(.epoch, in: 0...WireResult.maximumEpochs))
    case "leave": message = .leave
    default: throw WireError.malformed("\"\(WireText.clean(type, limit: 40))\" is no message of a coordinator")
    }
  }

  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: WireKey.self)
    try fields.encode(WireProtocol.version, forKey: .version)
    func type(_ name: String) throws { try fields.encode(name, forKey: .type) }
    switch message {
    case .welcome(
      let worker, let leaseSeconds, let progressSeconds, let checkpointSeconds, let keepsCensored, let keepsWeights):
      try type("welcome")
      try fields.encode(worker, forKey: .worker)
      try fields.encode(leaseSeconds, forKey: .leaseSeconds)
      try fields.encode(progressSeconds, forKey: .progressSeconds)
      try fields.encodeIfPresent(checkpointSeconds, forKey: .checkpointSeconds)
      if keepsCensored { try fields.encode(true, forKey: .keepsCensored) }
      if keepsWeights { try fields.encode(true, forKey: .keepsWeights) }
    case .refused(let reason):
      try type("refused")
      try fields.encode(WireText.clean(reason, limit: WireCodec.maximumReasonBytes), forKey: .reason)
    case .barred(let reason):
      try type("barred")
      try fields.encode(WireText.clean(reason, limit: WireCodec.maximumReasonBytes), forKey: .reason)
    case .sayHello: try type("say_hello")
    case .grant(let lease, let point, let experiment, let checkpoint):
      try type("grant")
      try fields.encode(lease, forKey: .lease)
      try fields.encode(point, forKey: .point)
      try fields.encode(experiment, forKey: .experiment)
      try fields.encodeIfPresent(checkpoint.map(WireContents.init), forKey: .checkpoint)
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
    case .pull(let lease, let point, let request):
      try type("pull")
      try fields.encode(lease, point)
      try fields.encode(request)
    case .checkpointKept(let lease, let point, let epoch):
      try type("checkpoint_kept")
      try fields.encode(lease, point)
      try fields.encode(epoch, forKey: .epoch)
    case .chunk(let lease, let point, let chunk):
      try type("chunk")
      try fields.encode(lease, point)
      try fields.encode(chunk)
    case .chunkGone(let lease, let point, let epoch):
      try type("chunk_gone")
      try fields.encode(lease, point)
      try fields.encode(epoch, forKey: .epoch)
    case .leave: try type("leave")
    }
  }
}

enum WireFrames {
  /// The frames after the first.
  static func further(_ decoder: any Decoder) -> [[UInt8]] {
    decoder.userInfo[WorkerFrame.furtherKey] as? [[UInt8]] ?? []
  }

  /// Further frames stand where they belong, and nowhere else.
  ///
  /// - Parameter allowed: how many a message of each type may have; all others have none.
  static func check(_ further: [[UInt8]], of type: String, allowed: [String: ClosedRange<Int>]) throws {
    let range = allowed[type] ?? 0...0
    guard !range.contains(further.count) else { return }
    let what = "a \"\(WireText.clean(type, limit: 40))\" message"
    guard further.count >= range.lowerBound else { throw WireError.malformed("\(what) without its second frame") }
    throw WireError.malformed("\(what) with a \(range.upperBound == 0 ? "second" : "third") frame")
  }
}
