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

  var lease: LeaseID { held.lease }
  var point: PointID { held.point }
  var isResult: Bool { if case .finished = content { true } else { false } }

  var held: HeldLease {
    switch content {
    case .finished(let result): HeldLease(lease: result.lease, point: result.point)
    case .failed(let held, _, _), .handedBack(let held, _): held
    }
  }

  var message: WorkerMessage {
    switch content {
    case .finished(let unsent):
      .finished(lease: unsent.lease, point: unsent.point, unsent.result, seconds: unsent.seconds)
    case .failed(let held, let kind, let reason):
      .failed(lease: held.lease, point: held.point, kind, reason: reason)
    case .handedBack(let held, let epoch): .handedBack(lease: held.lease, point: held.point, epoch: epoch)
    }
  }
}

extension WorkerSession {
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
      emit(.send(outbox[index].message))
      outbox[index].due = now.advanced(bySeconds: configuration.resendSeconds)
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
