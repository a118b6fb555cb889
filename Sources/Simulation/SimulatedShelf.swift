// The coordinator's checkpoints beside the store: what is kept of each point, and what is still coming in.
//
// Both survive a crash. A checkpoint becomes current in one step, when all of it is there and its seals are whole.

import Sweeps

struct SimulatedShelf {
  private struct Place {
    var files = SimulatedFiles()
    var contents: CheckpointContents?
    var incoming = SimulatedFiles()
    var incomingEpoch: Int?
  }

  private var places: [Place]
  var isFull = false

  init(points: Int) { places = Array(repeating: Place(), count: points) }

  /// As a coordinator finds them when it starts.
  func kept(of points: SimulatedPoints) -> [KeptCheckpoint] {
    places.indices.compactMap { number in
      places[number].contents.map { KeptCheckpoint(point: points.ids[number], contents: $0) }
    }
  }

  func contents(of point: Int) -> CheckpointContents? { places[point].contents }

  /// In words why the bytes cannot be kept; nil when they are.
  mutating func keep(_ bytes: [UInt8], of point: Int, missing: CheckpointContents, at offset: Int) -> String? {
    if isFull { return "the disk of the checkpoints is full" }
    if places[point].incomingEpoch != missing.epoch {
      places[point].incoming = SimulatedFiles()
      places[point].incomingEpoch = missing.epoch
    }
    guard places[point].incoming.write(bytes, at: missing.slices(from: offset, count: bytes.count)) else {
      return "bytes at \(offset) have a gap before them"
    }
    return nil
  }

  /// Makes what came in current. In words why not; nil when it is. Half a transfer is of no use after that.
  mutating func complete(_ contents: CheckpointContents, of point: Int) -> (reason: String?, foreign: String?) {
    defer {
      places[point].incoming = SimulatedFiles()
      places[point].incomingEpoch = nil
    }
    if isFull { return ("the disk of the checkpoints is full", nil) }
    var whole = places[point].files
    whole.take(places[point].incoming)
    switch whole.check(contents, of: point, reading: places[point].incoming) {
    case .whole:
      places[point].files = whole
      places[point].contents = contents
      return (nil, nil)
    case .unusable(let what): return (what, nil)
    case .foreign(let what): return (what, what)
    }
  }

  mutating func drop(_ point: Int) { places[point] = Place() }

  func read(_ request: CheckpointRequest, of point: Int) -> [UInt8]? {
    guard places[point].contents?.epoch == request.missing.epoch else { return nil }
    return places[point].files.read(request.slices)
  }

  /// A disk that forgets a bit.
  mutating func damage(_ point: Int, _ random: inout SimulationRandom) { places[point].files.damage(&random) }
}
