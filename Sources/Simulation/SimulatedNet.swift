// The net between one coordinator and its workers: connections that come, break and lie half open, partitions, and for
// every message the question whether it arrives, when, and how often.
//
// Within a connection messages keep their order unless a fault of kind `reordering` strikes. What is under way when a
// connection breaks may still arrive, as if from the old one, after the first messages of the new one.

import Sweeps

enum NetDirection: Int { case toCoordinator, toWorker }

struct Partition {
  let slots: ClosedRange<Int>
  let stopsToCoordinator: Bool
  let stopsToWorker: Bool
  let until: Int64
  /// TCP tries again when the link is back, unless the connection was given up meanwhile.
  let keepsMessages: Bool
}

struct SimulatedNet {
  /// Messages that a connection holds in one direction; more are dropped, as by a full queue of ZeroMQ.
  static let highWaterMark = 1000
  /// Bytes that a connection may ever hold in one direction: nobody floods a peer that does not answer.
  static let maximumBytes = 24 << 20

  private struct Link {
    /// Stands for the routing id; new with every connection.
    var peer: Int
    /// Neither side knows yet that nothing goes through any more.
    var isHalfOpen = false
    /// By direction.
    var last: [Int64] = [0, 0]
    var bytes = [0, 0]
    var messages = [0, 0]
  }

  private var links: [Link?]
  /// By peer: whose connection it was.
  private(set) var slotOfPeer: [Int] = [-1]
  private(set) var processOfPeer: [Int] = [-1]
  private(set) var partitions: [Partition] = []

  private let lossChance: Double
  private let duplicationChance: Double
  private let delayChance: Double
  private let reorderingChance: Double
  var isCalm = false

  init(slots: Int, faults: Faults) {
    links = Array(repeating: nil, count: slots)
    lossChance = min(0.5, 0.04 * faults[.loss])
    duplicationChance = min(0.5, 0.04 * faults[.duplication])
    delayChance = min(0.5, 0.05 * faults[.delay])
    reorderingChance = min(0.5, 0.05 * faults[.reordering])
  }

  static func id(_ peer: Int) -> PeerID {
    PeerID([0, UInt8(peer >> 24 & 255), UInt8(peer >> 16 & 255), UInt8(peer >> 8 & 255), UInt8(peer & 255)])
  }

  static func peer(_ id: PeerID) -> Int { id.bytes.dropFirst().reduce(0) { $0 << 8 | Int($1) } }

  func peer(of slot: Int) -> Int? { links[slot]?.peer }

  /// The slot at the other end of a connection that stands.
  func slot(of peer: Int) -> Int? {
    guard peer < slotOfPeer.count, peer > 0 else { return nil }
    let slot = slotOfPeer[peer]
    return links[slot]?.peer == peer ? slot : nil
  }

  mutating func connect(_ slot: Int, process: Int) {
    links[slot] = Link(peer: slotOfPeer.count)
    slotOfPeer.append(slot)
    processOfPeer.append(process)
  }

  mutating func disconnect(_ slot: Int) { links[slot] = nil }

  mutating func halfOpen(_ slot: Int) { links[slot]?.isHalfOpen = true }

  func isHalfOpen(_ slot: Int) -> Bool { links[slot]?.isHalfOpen == true }

  mutating func divide(_ partition: Partition) { partitions.append(partition) }

  mutating func heal(at time: Int64) { partitions.removeAll { $0.until <= time || isCalm } }

  /// The partition that stops messages of this direction, if there is one.
  func partition(of slot: Int, _ direction: NetDirection) -> Partition? {
    partitions.first {
      $0.slots.contains(slot) && (direction == .toCoordinator ? $0.stopsToCoordinator : $0.stopsToWorker)
    }
  }

  func isPartitioned(_ slot: Int) -> Bool {
    partition(of: slot, .toCoordinator) != nil || partition(of: slot, .toWorker) != nil
  }

  enum Fate {
    case lost
    case arrives(Int64, again: Int64?)
    /// More than `maximumBytes` wait for this peer.
    case floods(bytes: Int)
  }

  /// What becomes of a message that is sent now on the slot's connection.
  mutating func fate(
    of bytes: Int, _ slot: Int, _ direction: NetDirection, at now: Int64, _ random: inout SimulationRandom,
    _ counts: inout FaultCounts
  ) -> Fate {
    guard var link = links[slot], !link.isHalfOpen else { return .lost }
    let side = direction.rawValue
    guard link.messages[side] < Self.highWaterMark else { return .lost }
    var time = now + 500_000 + Int64(random.below(1_500_000))
    if !partitions.isEmpty, let partition = partition(of: slot, direction) {
      guard partition.keepsMessages else { return .lost }
      time = max(time, partition.until)
    }
    var again: Int64?
    if !isCalm {
      if random.chance(lossChance) {
        counts[.loss] += 1
        return .lost
      }
      if random.chance(delayChance) {
        counts[.delay] += 1
        time += Int64(random.unit() * random.unit() * 20e9)
      }
      if random.chance(duplicationChance) {
        counts[.duplication] += 1
        again = time + Int64(random.unit() * 20e9)
      }
    }
    if !isCalm, random.chance(reorderingChance) {
      counts[.reordering] += 1
      time += Int64(random.unit() * 2e9)
    } else {
      time = max(time, link.last[side])
      link.last[side] = time
    }
    link.messages[side] += 1
    link.bytes[side] += bytes
    links[slot] = link
    return link.bytes[side] > Self.maximumBytes ? .floods(bytes: link.bytes[side]) : .arrives(time, again: again)
  }

  /// It left the net, for its receiver or for nowhere.
  mutating func arrived(_ bytes: Int, peer: Int, _ direction: NetDirection) {
    guard let slot = slot(of: peer) else { return }
    links[slot]?.messages[direction.rawValue] -= 1
    links[slot]?.bytes[direction.rawValue] -= bytes
  }
}
