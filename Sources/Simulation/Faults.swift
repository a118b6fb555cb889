// What goes wrong, and how often. A kind of fault has a usual rate; a configuration multiplies it.
//
// Three sorts: some faults strike messages one by one, some come at moments of their own, and some are the nature of a
// point or a machine for the whole story.

package enum FaultKind: String, CaseIterable, Sendable, Hashable {
  // Of single messages.
  case loss
  case duplication
  case delay
  /// Within one connection, which TCP never does; but nothing may depend on that.
  case reordering
  // At moments.
  case reconnect
  /// One worker, one machine, or everyone; both ways or one.
  case partition
  case halfOpen = "half-open"
  case workerCrash = "worker-crash"
  /// SIGSTOP, or a laptop's lid; often for longer than a lease.
  case workerSuspension = "worker-suspension"
  case workerSignal = "worker-signal"
  case machineCrash = "machine-crash"
  case clockJump = "clock-jump"
  case coordinatorCrash = "coordinator-crash"
  case coordinatorSuspension = "coordinator-suspension"
  case coordinatorSignal = "coordinator-signal"
  case storeFull = "store-full"
  case shelfFull = "shelf-full"
  case scratchFull = "scratch-full"
  case operators
  // Of single steps of a run, or of single pieces.
  case hang
  case engineError = "engine-error"
  case refusedResult = "refused-result"
  case damage
  // By nature.
  case drift
  case poison
  case badMachine = "bad-machine"
  case wrongDigest = "wrong-digest"
  case deadline

  /// Mean seconds between two of a kind at rate 1; nil for kinds that do not come at moments.
  var meanSeconds: Double? {
    switch self {
    case .reconnect: 60
    case .partition: 120
    case .halfOpen: 150
    case .workerCrash: 50
    case .workerSuspension: 150
    case .workerSignal: 150
    case .machineCrash: 400
    case .clockJump: 300
    case .coordinatorCrash: 120
    case .coordinatorSuspension: 250
    case .coordinatorSignal: 500
    case .storeFull: 200
    case .shelfFull: 200
    case .scratchFull: 200
    case .operators: 60
    case .loss, .duplication, .delay, .reordering, .hang, .engineError, .refusedResult, .damage, .drift, .poison,
      .badMachine, .wrongDigest, .deadline:
      nil
    }
  }
}

/// Rates by kind, relative to the usual.
package struct Faults: Sendable, Hashable {
  private var rates: [Double]

  package init(everyRate rate: Double = 0) { rates = Array(repeating: rate, count: FaultKind.allCases.count) }

  package static let none = Faults()
  package static let some = Faults(everyRate: 1)
  package static let many = Faults(everyRate: 3)

  package subscript(_ kind: FaultKind) -> Double {
    get { rates[kind.place] }
    set { rates[kind.place] = newValue }
  }

  /// `none`, `some`, `many`, or kinds with commas between them, each with `=RATE` behind it if not at rate 1.
  package init(parsing text: String) throws(FaultsUnknown) {
    switch text {
    case "none": self = .none
    case "some": self = .some
    case "many": self = .many
    default:
      self.init()
      for part in text.split(separator: ",") {
        let words = part.split(separator: "=", maxSplits: 1)
        guard let name = words.first, let kind = FaultKind(rawValue: String(name)) else {
          throw FaultsUnknown(text: String(part))
        }
        guard words.count == 2 else {
          self[kind] = 1
          continue
        }
        guard let rate = Double(words[1]), rate >= 0, rate <= 100 else { throw FaultsUnknown(text: String(part)) }
        self[kind] = rate
      }
    }
  }

  /// As `init(parsing:)` reads it.
  package var text: String {
    for (name, faults) in [("none", Faults.none), ("some", .some), ("many", .many)] where faults == self { return name }
    return FaultKind.allCases.filter { self[$0] > 0 }.map { "\($0.rawValue)=\(self[$0])" }.joined(separator: ",")
  }

  /// Some kinds more, some less, some not at all.
  static func drawn(_ random: inout SimulationRandom) -> Faults {
    var faults = Faults()
    let strength = random.within(0.3...3)
    for kind in FaultKind.allCases where random.chance(0.7) {
      faults[kind] = (strength * random.within(0.1...2) * 100).rounded() / 100
    }
    return faults
  }
}

package struct FaultsUnknown: Error, CustomStringConvertible {
  package let text: String
  package var description: String {
    "\"\(text)\" is no fault; give none, some, many, or kinds with commas between them and, if you like, a rate from 0 "
      + "to 100 behind each (loss=2): " + FaultKind.allCases.map(\.rawValue).joined(separator: ", ")
  }
}

/// How often each kind struck.
package struct FaultCounts: Sendable, Hashable {
  private var counts = Array(repeating: 0, count: FaultKind.allCases.count)

  package init() {}

  package subscript(_ kind: FaultKind) -> Int {
    get { counts[kind.place] }
    set { counts[kind.place] = newValue }
  }

  package var total: Int { counts.reduce(0, +) }

  package static func += (left: inout FaultCounts, right: FaultCounts) {
    for place in left.counts.indices { left.counts[place] += right.counts[place] }
  }
}

extension FaultKind {
  fileprivate static let places: [FaultKind: Int] =
    Dictionary(uniqueKeysWithValues: FaultKind.allCases.enumerated().map { ($1, $0) })

  var place: Int { FaultKind.places[self]! }
}
