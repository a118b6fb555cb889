// How a point stands at this moment, in sentences: what only a running coordinator can say.

import Grokking
import Results
import Sweeps

struct PresentWords {
  /// Empty for a point that is finished or failed, and not about to be run again.
  let sentences: [String]

  /// - Parameter workers: those that are connected.
  init(_ standing: PointStanding, workers: [WorkerStatus]) {
    var sentences: [String] = []
    switch standing.state {
    case .pending: sentences.append(Self.waiting(standing))
    case .running: sentences.append(Self.running(standing, workers))
    case .awaited:
      let seconds = standing.graceSeconds.map { " for \(Int($0.rounded(.up))) s more" } ?? ""
      sentences.append(
        "Its worker on \(standing.host ?? "a host") had it before this coordinator started, and is waited for\(seconds)."
      )
    case .delivering: sentences.append("Its result is here and is being stored.")
    case .finished, .failed:
      if standing.isBeingVerified {
        sentences.append(
          standing.lease == nil
            ? "It is run again, to compare, when there is nothing else to do."
            : "It is run again, to compare. " + Self.running(standing, workers))
      }
    }
    if standing.state == .pending || standing.state == .running {
      if let epoch = standing.keptEpoch {
        sentences.append("Its checkpoint of epoch \(epoch) is kept beside the store.")
      }
      if standing.chargedAttempts > 0 {
        let attempts = standing.chargedAttempts == 1 ? "1 attempt counts" : "\(standing.chargedAttempts) attempts count"
        sentences.append("\(attempts) against it; with \(standing.chargedAttemptsLimit) it is set aside.")
      }
    }
    self.sentences = sentences
  }

  private static func waiting(_ standing: PointStanding) -> String {
    let obstacles = standing.obstacles.map(\.text)
    guard !obstacles.isEmpty else { return "It is about to be handed out." }
    let owners =
      standing.obstacles.first == .sweepsPaused || standing.obstacles.first == .sweepsCancelled
      ? " (\(standing.sweeps.joined(separator: ", ")))" : ""
    return "It is not running: \(obstacles[0])\(owners)" + obstacles.dropFirst().map { "; \($0)" }.joined() + "."
  }

  private static func running(_ standing: PointStanding, _ workers: [WorkerStatus]) -> String {
    guard let number = standing.worker else { return "It is running." }
    var words = "Worker \(number) on \(standing.host ?? "a host") trains it"
    if let progress = standing.progress { words += ", at epoch \(progress.epoch) of \(progress.epochs)" }
    guard let worker = workers.first(where: { $0.worker == number }) else { return words + "." }
    if let rate = worker.epochsPerSecond, rate > 0 { words += " (\(rounded(rate)) epochs/s)" }
    if let held = worker.heldSeconds { words += ", since \(Int(held)) s" }
    return words + ". It was last heard \(rounded(worker.silentSeconds)) s ago."
  }

  /// To tenths, or whole where tenths say nothing.
  private static func rounded(_ value: Double) -> String {
    value < 10 ? "\((10 * value).rounded() / 10)" : "\(Int(min(value, 1e15).rounded()))"
  }
}
