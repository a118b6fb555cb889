// Every short story of two workers and two points: not one seed after the other, but all orders of events to a depth.
//
// The search goes breadth first over values: scheduler, sessions, store, messages under way. A state that was seen is
// not looked at again. From several beginnings, so that a short story can start in the middle of a long one: nobody is
// there; both workers wait; both train; both results are under way. From some of the states, everything is then left to
// go well, and both points have to end.

import Grokking
import Sweeps

package struct Enumeration {
  /// Where the stories begin.
  package enum Beginning: String, CaseIterable, Sendable {
    case empty, waiting, training, delivering
  }

  package struct Report: Sendable {
    package var states = 0
    package var steps = 0
    /// Left to go well from there.
    package var endings = 0
    /// In words, with the steps that lead there; nil when all was well.
    package var violation: String?
  }

  /// - Parameters:
  ///   - depth: steps of every story.
  ///   - sampling: from every so manieth state, everything is left to go well.
  package static func run(
    from beginning: Beginning, depth: Int, sampling: Int, answersBeforeCommit: Bool = false
  ) -> Report {
    var report = Report()
    let first = EnumeratedCluster.begin(beginning, answersBeforeCommit: answersBeforeCommit)
    var seen: Set<EnumeratedCluster> = [first]
    var frontier = [first]
    var parents: [(parent: Int, step: EnumeratedStep)?] = [nil]
    var numbers = [0]
    for _ in 0..<depth {
      var next: [EnumeratedCluster] = []
      var nextNumbers: [Int] = []
      for (place, state) in frontier.enumerated() {
        for step in state.steps {
          var after = state
          let violation = after.take(step)
          report.steps += 1
          if let violation {
            let path = story(to: numbers[place], parents) + [step]
            report.violation = "\(violation), after \(beginning.rawValue): " + path.map(\.words).joined(separator: "; ")
            return report
          }
          guard seen.insert(after).inserted else { continue }
          parents.append((numbers[place], step))
          next.append(after)
          nextNumbers.append(parents.count - 1)
          guard parents.count % sampling == 0 else { continue }
          report.endings += 1
          if let violation = after.leaveToGoWell() {
            let path = story(to: parents.count - 1, parents)
            report.violation = "\(violation), after \(beginning.rawValue): " + path.map(\.words).joined(separator: "; ")
            return report
          }
        }
      }
      frontier = next
      numbers = nextNumbers
    }
    report.states = seen.count
    return report
  }

  private static func story(to number: Int, _ parents: [(parent: Int, step: EnumeratedStep)?]) -> [EnumeratedStep] {
    var steps: [EnumeratedStep] = []
    var number = number
    while let (parent, step) = parents[number] {
      steps.append(step)
      number = parent
    }
    return steps.reversed()
  }
}

/// How the coordinator gets on with what it was told.
enum EnumeratedCommit: String, CaseIterable {
  case succeeds
  case fails
  case diesBefore = "dies before it"
  case diesAfter = "dies after it"
}

enum EnumeratedStep: Hashable {
  case start(Int)
  case crash(Int)
  case trains(Int)
  case finishes(Int)
  case toCoordinator(Int, EnumeratedCommit)
  case doubledToCoordinator(Int)
  case lostToCoordinator(Int)
  case toWorker(Int)
  case doubledToWorker(Int)
  case lostToWorker(Int)
  case reconnects(Int)
  case coordinatorCrashes
  case coordinatorStarts
  /// To the next moment that anybody waits for.
  case timePasses
  case leasesExpire

  var words: String {
    switch self {
    case .start(let slot): "worker \(slot) starts"
    case .crash(let slot): "worker \(slot) crashes"
    case .trains(let slot): "worker \(slot) trains on"
    case .finishes(let slot): "worker \(slot) finishes"
    case .toCoordinator(let slot, let commit): "a message of worker \(slot) arrives, the commit \(commit.rawValue)"
    case .doubledToCoordinator(let slot): "a message of worker \(slot) arrives and will again"
    case .lostToCoordinator(let slot): "a message of worker \(slot) is lost"
    case .toWorker(let slot): "a message reaches worker \(slot)"
    case .doubledToWorker(let slot): "a message reaches worker \(slot) and will again"
    case .lostToWorker(let slot): "a message for worker \(slot) is lost"
    case .reconnects(let slot): "worker \(slot) reconnects"
    case .coordinatorCrashes: "the coordinator crashes"
    case .coordinatorStarts: "the coordinator starts"
    case .timePasses: "time passes"
    case .leasesExpire: "leases expire"
    }
  }
}
