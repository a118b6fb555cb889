// What a worker says until it is answered: results, failures, hand-backs.

import Grokking

/// A message that waits for its receipt.
struct Parcel: Hashable, Sendable {
  enum Content: Hashable, Sendable {
    case finished(UnsentResult)
    case failed(HeldLease, AttemptClass, reason: String)
    case handedBack(HeldLease, epoch: Int)
  }

  let content: Content
  var due: MonotonicInstant
  /// The present coordinator does not want it.
  var isSetAside = false
  /// How often it was said.
  var tries = 0

  var lease: LeaseID { held.lease }
  var point: PointID { held.point }
  var isResult: Bool { if case .finished = content { true } else { false } }

  var held: HeldLease {
    switch content {
    case .finished(let result): HeldLease(lease: result.lease, point: result.point)
    case .failed(let held, _, _), .handedBack(let held, _): held
    }
  }

  /// - Parameter withWeights: whether a result takes its final weights along.
  func message(withWeights: Bool) -> WorkerMessage {
    switch content {
    case .finished(let unsent):
      .finished(
        lease: unsent.lease, point: unsent.point, withWeights ? unsent.result : unsent.result.withoutWeights,
        seconds: unsent.seconds)
    case .failed(let held, let kind, let reason):
      .failed(lease: held.lease, point: held.point, kind, reason: reason)
    case .handedBack(let held, let epoch): .handedBack(lease: held.lease, point: held.point, epoch: epoch)
    }
  }
}

extension RunResult {
  fileprivate var withoutWeights: RunResult {
    var result = self
    result.finalWeights = nil
    return result
  }
}

extension WorkerSession {
  /// A result is more than its weights, which over a slow link may never come through: a connection that is busy with one
  /// message for 15 s answers no ping. After so many times without an answer, and when its worker leaves, it goes alone.
  static var triesWithWeights: Int { 2 }
  /// What a link is given for the bytes of the weights.
  static var weightsBytesPerSecond: Double { 100_000 }

  /// Parcels under way at once: a worker that comes back with a hundred results does not flood its socket.
  static var windowSize: Int { 4 }

  var window: ArraySlice<Int> {
    outbox.indices.filter { !outbox[$0].isSetAside }.prefix(WorkerSession.windowSize)
  }

  mutating func post(_ content: Parcel.Content) {
    let parcel = Parcel(content: content, due: now)
    if outbox.contains(where: { $0.lease == parcel.lease && $0.point == parcel.point }) { return }
    outbox.append(parcel)
  }

  /// Sends what is due, once there is somebody to send it to.
  mutating func flush() {
    guard isWelcome, !outbox.isEmpty else { return }
    for index in window where outbox[index].due <= now {
      var (patience, withWeights) = (configuration.resendSeconds, false)
      if case .finished(let unsent) = outbox[index].content, let weights = unsent.result.finalWeights,
        leaving == nil, outbox[index].tries < Self.triesWithWeights
      {
        patience += Double(weights.count) / Self.weightsBytesPerSecond
        withWeights = true
      }
      emit(.send(outbox[index].message(withWeights: withWeights)))
      outbox[index].tries += 1
      outbox[index].due = now.advanced(bySeconds: patience)
    }
  }

  mutating func receipt(_ lease: LeaseID, _ point: PointID) {
    guard let index = outbox.firstIndex(where: { $0.lease == lease && $0.point == point }) else { return }
    let parcel = outbox.remove(at: index)
    if parcel.isResult { emit(.forgetResult(lease, point)) }
    // The next grant comes before the receipt, if there is one.
    guard readyWithReceipt == parcel.held else { return }
    readyWithReceipt = nil
    if activity == .idle, leaving == nil { ready() }
  }
}
