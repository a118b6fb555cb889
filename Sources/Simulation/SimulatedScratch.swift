// A scratch disk: folders of points that outlive the processes that fill them, checkpoints that come in pieces, and
// results that wait for their receipt.

import Sweeps

/// A point's folder on a scratch disk.
struct SimulatedFolder {
  let point: Int
  /// Whose process has it; nil for leftovers.
  var holder: Int?
  var files = SimulatedFiles()
  var fetched = SimulatedFiles()
  var fetching: CheckpointContents?
  var result: UnsentResult?
}

extension Simulation {
  /// Results whose process ended before their receipt came.
  func claimResults(_ slot: Int) -> [UnsentResult] {
    let machine = workers[slot].machine
    var results: [UnsentResult] = []
    for place in machines[machine].folders.indices where machines[machine].folders[place].holder == nil {
      guard let result = machines[machine].folders[place].result else { continue }
      machines[machine].folders[place].holder = slot
      results.append(result)
    }
    return results
  }

  /// The folder that this process has for the point, or a leftover that it takes, or a new one.
  func folder(of point: Int, _ slot: Int) -> Int {
    let machine = workers[slot].machine
    let folders = machines[machine].folders
    let own = folders.firstIndex { $0.point == point && $0.holder == slot && $0.result == nil }
    if let place = own ?? folders.firstIndex(where: { $0.point == point && $0.holder == nil && $0.result == nil }) {
      machines[machine].folders[place].holder = slot
      return place
    }
    machines[machine].folders.append(SimulatedFolder(point: point, holder: slot))
    return folders.count
  }

  func withFolder(of id: PointID, _ slot: Int, _ body: (inout SimulatedFolder) -> Void) {
    guard let point = points.number(of: id) else { return }
    let place = folder(of: point, slot)
    body(&machines[workers[slot].machine].folders[place])
  }

  func prepare(_ contents: CheckpointContents, _ lease: LeaseID, _ id: PointID, _ slot: Int) -> SessionEvent? {
    guard let point = points.number(of: id) else { return nil }
    if let problem = contents.problem(for: points.experiments[point]) {
      violate("\(lease) comes with an impossible checkpoint: \(problem)", .point(point))
    }
    let place = folder(of: point, slot)
    let files = machines[workers[slot].machine].folders[place].files
    if let epoch = files.epoch, epoch >= contents.epoch { return .prepared(missing: nil) }
    let here = CheckpointContents(
      epoch: 0, checkpointBytes: contents.checkpointBytes, partBytes: contents.partBytes,
      weights: contents.weights.joined().filter { files[.weights($0)] != nil },
      moments: contents.moments.joined().filter { files[.firstMoment($0)] != nil && files[.secondMoment($0)] != nil })
    machines[workers[slot].machine].folders[place].fetched = SimulatedFiles()
    machines[workers[slot].machine].folders[place].fetching = contents
    return .prepared(missing: contents.lacking(here))
  }

  func keepChunk(
    _ id: PointID, _ missing: CheckpointContents, _ offset: Int, _ bytes: [UInt8], _ slot: Int
  ) -> SessionEvent? {
    guard let point = points.number(of: id) else { return nil }
    let machine = workers[slot].machine
    if machines[machine].isScratchFull { return .fetchFailed(reason: "no room on the scratch disk (simulated)") }
    let place = folder(of: point, slot)
    guard machines[machine].folders[place].fetched.write(bytes, at: missing.slices(from: offset, count: bytes.count))
    else { return .fetchFailed(reason: "bytes at \(offset) have a gap before them") }
    guard offset + bytes.count == missing.byteCount else { return nil }
    guard let contents = machines[machine].folders[place].fetching else {
      violate("\(name(slot)) completes a checkpoint of point \(point) that it never prepared", .point(point))
      return nil
    }
    var whole = machines[machine].folders[place].files
    whole.take(machines[machine].folders[place].fetched)
    machines[machine].folders[place].fetched = SimulatedFiles()
    machines[machine].folders[place].fetching = nil
    switch whole.check(contents, of: point) {
    case .whole:
      machines[machine].folders[place].files = whole
      checkpointsFetched += 1
      tell("\(name(slot)) has fetched the checkpoint of point \(point) at epoch \(contents.epoch)", .point(point))
      return nil
    case .unusable(let what): return .checkpointUnusable(reason: what)
    case .foreign(let what):
      violate("\(name(slot)) fetched foreign bytes for point \(point): \(what)", .point(point))
      return nil
    }
  }

  func sendChunk(_ lease: LeaseID, _ id: PointID, _ request: CheckpointRequest, _ slot: Int) {
    guard let point = points.number(of: id) else { return }
    let folder = machines[workers[slot].machine].folders.first {
      $0.point == point && ($0.holder == slot || $0.holder == nil) && $0.files.epoch == request.missing.epoch
    }
    if let bytes = folder?.files.read(request.slices) {
      send(
        .chunk(
          lease: lease, point: id,
          CheckpointChunk(epoch: request.missing.epoch, offset: request.offset, bytes: damaged(bytes))), from: slot)
    } else {
      send(.chunkGone(lease: lease, point: id, epoch: request.missing.epoch), from: slot)
    }
  }

  func keep(_ unsent: UnsentResult, _ slot: Int) {
    guard let point = points.number(of: unsent.point) else { return }
    let machine = workers[slot].machine
    if machines[machine].isScratchFull {
      counts[.scratchFull] += 1
      workers[slot].inMemory.append(unsent)
      return
    }
    let place = folder(of: point, slot)
    machines[machine].folders[place].result = unsent
    machines[machine].folders[place].files = SimulatedFiles()
  }

  func forget(_ lease: LeaseID, _ id: PointID, _ slot: Int) {
    guard let point = points.number(of: id) else { return }
    tell("\(name(slot)) forgets the result of point \(point) from \(lease)", .point(point))
    checkForgotten(point, lease, slot)
    machines[workers[slot].machine].folders.removeAll {
      $0.holder == slot && $0.result?.lease == lease && $0.point == point
    }
    workers[slot].inMemory.removeAll { $0.lease == lease && $0.point == id }
  }
}
