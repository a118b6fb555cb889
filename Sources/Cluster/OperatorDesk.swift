// What people ask for, carried out on the store: by the coordinator while it runs, and by the commands themselves on a
// store that nobody coordinates on. Whoever owns a scheduler hands it the events that come of it.

import Foundation
import Grokking
import Results
import Sweeps

/// Each request may be carried out twice: the second time it changes nothing.
package struct OperatorDesk {
  /// What only a running coordinator knows.
  package struct Live {
    package var overview: SchedulerOverview
    /// How a point stands; nil for one that the scheduler does not know.
    package var explain: (PointID) -> PointStanding?

    package init(_ overview: SchedulerOverview, explain: @escaping (PointID) -> PointStanding?) {
      self.overview = overview
      self.explain = explain
    }
  }

  private static let shownFailures = 10

  private let store: Store
  /// Who asks; "" when that is not known.
  private let user: String
  private let live: Live?
  private let now: Date
  /// What the scheduler has to be told, in order.
  package private(set) var events: [SchedulerEvent] = []

  /// - Parameter live: nil when no coordinator runs.
  package init(_ store: Store, user: String = "", live: Live? = nil, now: Date) {
    self.store = store
    self.user = user
    self.live = live
    self.now = now
  }

  package mutating func carryOut(_ request: OperatorRequest) -> OperatorReply {
    do {
      switch request {
      case .status: return .answer(json: try json(status()))
      case .explain(let point): return .answer(json: try json(explanation(of: point)))
      case .submit(let name, let text, let overrides, let priority):
        return .done(try submit(name: name, text: text, overrides: overrides, priority: priority))
      case .setSweep(let sweep, let state): return .done(try set(sweep, state))
      case .setPriority(let sweep, let priority):
        try store.setPriority(priority, ofSweep: sweep)
        events.append(.setPriority(sweep: sweep, priority))
        return .done("\(sweep): its priority is \(priority)")
      case .drain(let worker): return drain(worker)
      case .admit(let host): return admit(host)
      case .retry(let selection): return .done(try retry(selection))
      case .verify(let selection): return .done(try verify(selection))
      }
    } catch let error as StoreError {
      return .failed("\(error)", isBadInput: [.unknown, .badCondition, .sweepChanged].contains(error.kind))
    } catch let error as SweepFileError {
      return .failed("\(error)", isBadInput: true)
    } catch {
      return .failed("\(error)", isBadInput: false)
    }
  }

  private func status() throws -> CoordinatorStatus {
    CoordinatorStatus(
      store: store.path, coordinator: try Store.lockHolder(path: store.path), sweeps: try store.sweepProgress(),
      workers: live?.overview.workerStatuses ?? [],
      barredHosts: (live?.overview.barredHosts ?? []).map {
        CoordinatorStatus.Barred(host: $0.host, reason: $0.reason, secondsLeft: $0.secondsLeft)
      }, failures: try store.recentFailures(Self.shownFailures),
      verifications: try store.verificationCounts(), violations: try store.violationCount(),
      awaited: live?.overview.awaited ?? 0, remaining: live?.overview.remaining,
      isPaused: live?.overview.isPaused ?? false)
  }

  private func explanation(of prefix: String) throws -> PointExplanation {
    let story = try store.story(of: try store.point(startingWith: prefix))
    guard let live, let standing = live.explain(story.id) else { return PointExplanation(story: story, now: []) }
    return PointExplanation(story: story, now: PresentWords(standing, workers: live.overview.workerStatuses).sentences)
  }

  private mutating func submit(name: String, text: String, overrides: [String], priority: Int?) throws -> String {
    let file = try SweepFile(text: text, fileName: name, overrides: overrides)
    let points = Array(try store.points(of: file))
    let before = try store.sweepProgress().first { $0.sweep == file.name }
    let registration = try store.register(
      SweepRegistration(
        name: file.name, canonical: file.canonical, fileText: file.storedText, axes: file.axes, points: points,
        differences: { file.differences(from: $0) }), at: now)
    // At once: whatever fails from here on, they have left the sweep.
    if !registration.withdrawn.isEmpty { events.append(.withdraw(sweep: file.name, registration.withdrawn)) }
    if let before, before.state != .active { try store.setState(.active, ofSweep: file.name) }
    if let priority { try store.setPriority(priority, ofSweep: file.name) }
    let (sweep, known) = try store.knownPoints(ofSweep: file.name)
    events.append(.addSweep(sweep, known))
    return words(of: registration, before)
  }

  private func words(of registration: Registration, _ before: SweepProgress?) -> String {
    let total = "\(registration.total) \(registration.total == 1 ? "point" : "points")"
    if let change = registration.change {
      let lines = ([change.words] + registration.differences).joined(separator: "\n  ")
      let wasStopped = before.map { $0.state == .active ? "" : "; it was \($0.state.rawValue), and goes on now" } ?? ""
      return "\(registration.sweep): its file was changed: \(lines)\n\(registration.sweep): \(total)\(wasStopped)"
    }
    let done = "\(registration.finished) finished" + (registration.failed > 0 ? ", \(registration.failed) failed" : "")
    switch before?.state {
    case nil:
      let shared = registration.sharedFinished
      return "\(registration.sweep): \(total) submitted"
        + (shared > 0 ? "; \(shared) of them were finished by other sweeps" : "")
    case .active: return "\(registration.sweep): is here already and goes on; \(total), \(done)"
    case .paused: return "\(registration.sweep): is here already, was paused, and goes on now; \(total), \(done)"
    case .cancelled: return "\(registration.sweep): is here already, was cancelled, and goes on now; \(total), \(done)"
    }
  }

  private mutating func set(_ sweep: String, _ state: SweepState) throws -> String {
    let before = try store.sweepProgress(of: sweep)
    if before.state != state { try store.setState(state, ofSweep: sweep) }
    events.append(.setSweep(sweep, state))
    let left = before.pending + before.running
    let open = left == 1 ? "1 point is" : "\(left) points are"
    switch state {
    case .active: return "\(sweep): goes on; \(open) left"
    case .paused:
      return "\(sweep): paused; \(open) left"
        + (before.running > 0 ? ", \(before.running) of them running to their end" : "")
    case .cancelled: return "\(sweep): cancelled; what is finished stays, and `resume` brings it back; \(open) left"
    }
  }

  private mutating func drain(_ text: String) -> OperatorReply {
    let workers = live?.overview.workerList ?? []
    let number = Int64(text)
    let meant = workers.filter { $0.number == number || $0.host == text }
    guard !meant.isEmpty else {
      let hosts = workers.reduce(into: [String]()) { if !$0.contains($1.host) { $0.append($1.host) } }
      let there =
        hosts.isEmpty
        ? "no workers are connected"
        : "there are \(workers.count) workers on \(hosts.prefix(10).joined(separator: ", "))"
          + (hosts.count > 10 ? " and \(hosts.count - 10) more hosts" : "")
      return .failed("no connected worker has the number or host \(text); \(there)", isBadInput: true)
    }
    if let number, meant.contains(where: { $0.number == number }) { events.append(.drainWorkers(.number(number))) }
    if meant.contains(where: { $0.host == text }) { events.append(.drainWorkers(.host(text))) }
    let busy = meant.count { $0.point != nil }
    let those = meant.count == 1 ? "worker \(meant[0].number) on \(meant[0].host)" : "\(meant.count) workers on \(text)"
    return .done(
      busy == 0
        ? "\(those): told to leave"
        : "\(those): \(meant.count == 1 ? "leaves" : "leave") after the \(busy == 1 ? "point" : "points") under way")
  }

  private mutating func admit(_ host: String) -> OperatorReply {
    let barred = live?.overview.barredHosts ?? []
    guard barred.contains(where: { $0.host == host }) else {
      let names = barred.map(\.host).prefix(10).joined(separator: ", ")
      let there = barred.isEmpty ? "no machine is" : "those that are: \(names)"
      return .failed("\(host) is not kept out; \(there)", isBadInput: true)
    }
    events.append(.admitHost(host))
    return .done("\(host): taken back; its workers come by themselves within ten minutes, or start them now")
  }

  private mutating func retry(_ selection: PointSelection) throws -> String {
    let changed: [PointID]
    switch selection {
    case .failed(let sweep): changed = try store.retry(sweep: sweep)
    default:
      let meant = try store.points(selection)
      let failed = try store.failures(of: nil).reduce(into: Set<PointID>()) { $0.insert($1.id) }
      if let other = meant.first(where: { !failed.contains($0) }) {
        throw StoreError.notFailed(other, path: store.path)
      }
      changed = try store.retry(points: meant)
    }
    events.append(.retry(changed))
    return "\(store.path): \(changed.count) failed \(changed.count == 1 ? "point" : "points") will be run again"
  }

  private mutating func verify(_ selection: PointSelection) throws -> String {
    let meant = try store.points(selection)
    guard !meant.isEmpty else { return "\(store.path): no finished point is meant; nothing is run again" }
    let new = try store.requestVerifications(of: meant, by: user, at: now)
    events.append(.verify(meant))
    let points = meant.count == 1 ? "point \(meant[0].short)" : "\(meant.count) points"
    let known = meant.count - new.count
    return "\(points) will be run again and compared, when there is nothing else to do"
      + (known > 0 ? " (\(known) asked for already)" : "") + "; the view verifications tells what came of it"
  }

  private func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
