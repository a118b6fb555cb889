// Workers: who they are, what they hold, when they wait and go.

import Grokking

/// A worker process that said hello and is not known to be gone.
struct ConnectedWorker: Hashable, Sendable {
  let number: Int64
  let identity: WorkerIdentity
  /// Its place among the scheduler's hosts.
  let host: Int
  var peer: PeerID
  var lease: LeaseID?
  /// Said ready, and got nothing yet.
  var isWaiting = false
  var lastHeard: MonotonicInstant
  /// From when on its silence is counted: since it was last heard, or since nobody could be heard.
  var silentSince: MonotonicInstant
  /// Its whole host was silent for long after it, so its own silence says nothing.
  var wasCutOff = false
  /// By then its process has to be gone; nil: it may stay.
  var departure: MonotonicInstant?
  /// An operator wants it to leave after its point.
  var isDraining = false
  /// It was told to leave because nothing fits before its departure.
  var isLeaving = false

  /// For people.
  var name: String { "worker \(number) (\(identity.host), process \(identity.processID))" }
}

extension Scheduler {
  mutating func send(_ message: CoordinatorMessage, to number: Int64) {
    if let worker = workers[number] { emit(.send(to: worker.peer, message)) }
  }

  mutating func ready(_ number: Int64) {
    guard let worker = workers[number] else { return }
    if let lease = worker.lease, let attempt = attempts[lease] {
      // The grant was lost, or crossed this message; the worker knows which.
      resume(lease)
      grantAgain(attempt, to: number)
      return
    }
    switch phase {
    case .serving where worker.isDraining: sendLeave(to: number)
    case .serving:
      startWaiting(number)
      grantWaiting()
      if workers[number]?.isWaiting == true { send(.wait, to: number) }
    case .draining, .leaving: sendLeave(to: number)
    case .finished: break
    }
  }

  mutating func startWaiting(_ number: Int64) {
    guard workers[number]?.isWaiting == false else { return }
    workers[number]?.isWaiting = true
    waiting.append(number)
  }

  mutating func goodbye(_ number: Int64) {
    guard let worker = workers[number] else { return }
    if let lease = worker.lease { end(lease, as: .preempted, reason: "\(worker.name) left") }
    log(.info, "\(worker.name) left")
    forget(number)
  }

  /// A connection is gone. A lease that its worker was seen working under stands: the process may come back.
  mutating func unreachable(_ peer: PeerID) {
    guard let number = numberOfPeer[peer], let worker = workers[number] else { return }
    if let lease = worker.lease {
      guard let attempt = attempts[lease], attempt.phase == .running, attempt.work == nil, attempt.fetched == nil else {
        return
      }
      end(lease, as: .lost, reason: "\(worker.name) was gone before the grant reached it", charged: false)
    }
    forget(number)
  }

  /// Nothing that it says arrives any more. Its point is for others, and costs nothing; a result that was taken stays taken.
  mutating func peerRefused(_ peer: PeerID, _ reason: String) {
    for number in workerNumbers.elements {
      guard let worker = workers[number], worker.peer.bytes == peer.bytes else { continue }
      log(.warning, "\(worker.name) is not taken any more: \(reason)")
      if let lease = worker.lease, let attempt = attempts[lease], attempt.phase != .delivering {
        end(lease, as: .preempted, reason: "\(worker.name) is not taken any more: \(reason)")
      }
      forget(number)
    }
  }

  /// A supervisor on this coordinator's machine saw it.
  mutating func processEnded(_ boot: String, _ description: String) {
    endProcess(boot, description) { _ in true }
  }

  /// A supervisor elsewhere saw it: believed of processes of its own host and key only.
  mutating func predecessorEnded(_ predecessor: Predecessor, host name: String, key: String) {
    let host = placeOfHost[name]
    if let number = numberOfBoot[predecessor.boot], let worker = workers[number],
      worker.host != host || worker.peer.key != key
    {
      logThinly(
        .warning, kind: "predecessor", "a worker of \(name) said that \(worker.name) had ended, which is not its own")
      return
    }
    endProcess(predecessor.boot, predecessor.ending) { attempt in
      // Nobody came back for an awaited one; its end costs the point nothing.
      attempt.phase == .awaited || (attempt.host == host && attempt.key == key)
    }
  }

  private mutating func endProcess(_ boot: String, _ description: String, where concerns: (Attempt) -> Bool) {
    missed.remove(boot)
    for lease in leases.elements {
      guard let attempt = attempts[lease], attempt.boot == boot, attempt.phase != .delivering, concerns(attempt) else {
        continue
      }
      end(
        lease, as: .crashed, reason: "the worker process ended: \(description)",
        charged: attempt.phase == .running)
    }
    if let number = numberOfBoot[boot], let worker = workers[number] {
      log(.info, "\(worker.name) ended: \(description)")
      forget(number)
    } else {
      release(boot)
    }
  }

  /// These leave after their points, or now if they have none. Later ones of the same host are not meant.
  mutating func drainWorkers(_ selection: WorkerSelection) {
    for number in workerNumbers.elements {
      guard let worker = workers[number] else { continue }
      let isMeant =
        switch selection {
        case .number(let wanted): number == wanted
        case .host(let name): worker.identity.host == name
        }
      guard isMeant, !worker.isDraining else { continue }
      workers[number]?.isDraining = true
      log(.info, "\(worker.name) leaves after its point")
      guard worker.isWaiting else { continue }
      workers[number]?.isWaiting = false
      waiting.removeAll { $0 == number }
      sendLeave(to: number)
    }
  }

  /// Whether hellos of this process can be judged without the store.
  package func knows(_ boot: String) -> Bool { numberOfBoot[boot] != nil }

  mutating func know(_ boot: String, number: Int64, key: String) {
    guard numberOfBoot[boot] == nil else { return }
    numberOfBoot[boot] = number
    keyOfBoot[boot] = key
  }

  /// Leaves a process to the store's memory, unless it is here, is expected back, or holds an attempt.
  mutating func release(_ boot: String) {
    guard let number = numberOfBoot[boot], workers[number] == nil, !missed.contains(boot),
      !leases.elements.contains(where: { attempts[$0]?.boot == boot })
    else { return }
    numberOfBoot[boot] = nil
    keyOfBoot[boot] = nil
    emit(.workerLeft(number))
  }

  /// From now on its peer is told to say hello. Its leases are the caller's to end.
  mutating func forget(_ number: Int64) {
    guard let worker = workers.removeValue(forKey: number) else { return }
    defer { release(worker.identity.boot) }
    workerNumbers.remove(number)
    if worker.isWaiting { waiting.removeAll { $0 == number } }
    if numberOfPeer[worker.peer] == number { numberOfPeer[worker.peer] = nil }
  }
}
