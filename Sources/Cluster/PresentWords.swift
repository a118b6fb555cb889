// Why a point that has no result yet is not running, or how far it is: what only a running coordinator can say.

import Grokking
import Results
import Sweeps

struct PresentWords {
  /// Empty for a point that is finished or failed and not about to be run again.
  let sentences: [String]

  init(of story: PointStory, workers: [WorkerStanding], overview: SchedulerOverview) {
    if let holder = workers.first(where: { $0.point == story.id }) {
      sentences = [Self.training(holder)]
    } else if story.state == .failed {
      sentences = []
    } else if story.state == .finished {
      let isRequested = story.verifications.contains { $0.state == "requested" }
      sentences = isRequested ? ["It is run again, to compare, when there is nothing else to do."] : []
    } else {
      sentences = Self.waiting(story, workers, overview)
    }
  }

  private static func training(_ worker: WorkerStanding) -> String {
    var words = "Worker \(worker.worker) on \(worker.host) has it"
    if let held = worker.heldSeconds { words += ", for \(Int(held)) s now" }
    if let epoch = worker.epoch, let epochs = worker.epochs { words += "; it is at epoch \(epoch) of \(epochs)" }
    if let rate = worker.epochsPerSecond, rate > 0 {
      words += " (\(rate < 10 ? rate.rounded(to: 10) : rate.rounded()) epochs/s)"
    }
    return words + ". It was last heard \(worker.silentSeconds.rounded(to: 10)) s ago."
  }

  private static func waiting(
    _ story: PointStory, _ workers: [WorkerStanding], _ overview: SchedulerOverview
  ) -> [String] {
    if let open = story.attempts.last(where: { $0.kind == "open" }) {
      return [
        "It was granted to worker \(open.worker) on \(open.host), which is not connected at the moment: it may come back "
          + "with what it has; if it does not, the point is handed out anew when its lease is over."
      ]
    }
    if !story.sweeps.contains(where: { $0.state == .active }), !story.sweeps.isEmpty {
      let list = story.sweeps.map { "\($0.sweep) is \($0.state.rawValue)" }.joined(separator: ", ")
      return ["It is not handed out: \(list). `groksweep resume` changes that."]
    }
    if overview.isPaused { return ["It is not handed out: the store cannot be written at the moment."] }
    guard !workers.isEmpty else { return ["It waits for a worker: none is connected."] }
    let busy = workers.count { $0.point != nil }
    let others = overview.pending - 1
    return [
      "It waits for its turn: \(busy) of \(workers.count) workers are busy, and \(others) other "
        + "\(others == 1 ? "point waits" : "points wait"). Points of sweeps with a higher priority go first, then those "
        + "that were given back, then in the sweep's order."
    ]
  }
}

extension Double {
  /// To a whole multiple of 1/`parts`.
  fileprivate func rounded(to parts: Double) -> Double { (self * parts).rounded() / parts }
}
