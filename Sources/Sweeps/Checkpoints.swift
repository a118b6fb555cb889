// Checkpoints that travel: what one consists of, and which of its bytes go over the net.
//
// A run keeps one checkpoint, which is replaced by later ones, and beside it the weights of its evaluations and the
// optimizer's moments at a few of them. Those parts never change: the same point gives the same bits on every machine. So
// they are known by their numbers alone, and whoever has some of them needs only the others. What is missing, in a fixed
// order, is one stream of bytes; requests and chunks name places in it. Names of files never travel.

import Grokking

/// One file of a run, wherever it lies.
package enum CheckpointFile: Hashable, Sendable {
  /// Weights of an evaluation, by its number.
  case weights(Int)
  case firstMoment(Int)
  case secondMoment(Int)
  case slowGradient(Int)
  case checkpoint

  /// The file of one part of an evaluation.
  package init(_ part: SnapshotStore.Part, _ number: Int) {
    self =
      switch part {
      case .weights: .weights(number)
      case .firstMoment: .firstMoment(number)
      case .secondMoment: .secondMoment(number)
      case .slowGradient: .slowGradient(number)
      }
  }
}

/// A part of a file.
package struct CheckpointSlice: Hashable, Sendable {
  package var file: CheckpointFile
  /// Bytes of the file.
  package var range: Range<Int>
  /// Whether it ends with the file's last byte.
  package var isLast: Bool

  package init(file: CheckpointFile, range: Range<Int>, isLast: Bool) {
    self.file = file
    self.range = range
    self.isLast = isLast
  }
}

/// What a checkpoint consists of, or the part of it that somebody lacks.
package struct CheckpointContents: Hashable, Sendable {
  /// Runs of numbers beyond which nobody asks or offers: a run keeps moments of some twenty evaluations.
  package static let maximumRanges = 1024
  /// Of one chunk.
  package static let maximumChunkBytes = 1 << 20

  /// To which the run was trained.
  package let epoch: Int
  /// Size of the checkpoint's own file, as it lies on the disk.
  package let checkpointBytes: Int
  /// Size of each other file.
  package let partBytes: Int
  /// Numbers of evaluations, ascending, apart from each other.
  package let weights: [Range<Int>]
  /// Likewise; each stands for a first and a second moment, and for a slow gradient where there is one.
  package let moments: [Range<Int>]
  /// Whether the run filters its gradients: a state has three files then, else two.
  package let hasSlowGradients: Bool

  package init(
    epoch: Int, checkpointBytes: Int, partBytes: Int, weights: [Range<Int>], moments: [Range<Int>],
    hasSlowGradients: Bool = false
  ) {
    self.epoch = epoch
    self.checkpointBytes = checkpointBytes
    self.partBytes = partBytes
    self.weights = weights
    self.moments = moments
    self.hasSlowGradients = hasSlowGradients
  }

  /// - Parameters: numbers in any order.
  package init(
    epoch: Int, checkpointBytes: Int, partBytes: Int, weights: [Int], moments: [Int], hasSlowGradients: Bool = false
  ) {
    self.init(
      epoch: epoch, checkpointBytes: checkpointBytes, partBytes: partBytes, weights: Self.ranges(of: weights),
      moments: Self.ranges(of: moments), hasSlowGradients: hasSlowGradients)
  }

  /// Of the whole stream.
  package var byteCount: Int {
    (Self.count(weights) + filesOfState * Self.count(moments)) * partBytes + checkpointBytes
  }

  private var filesOfState: Int { hasSlowGradients ? 3 : 2 }

  /// Of the state of evaluation `number`, in the order of the stream.
  package func files(ofState number: Int) -> [CheckpointFile] {
    let moments = [CheckpointFile.firstMoment(number), .secondMoment(number)]
    return hasSlowGradients ? moments + [.slowGradient(number)] : moments
  }

  /// Every file in the order of the stream: weights, then the state of each number, the checkpoint last.
  package var files: [CheckpointFile] {
    weights.joined().map(CheckpointFile.weights) + moments.joined().flatMap(files(ofState:)) + [.checkpoint]
  }

  /// Where the bytes from `offset` on lie, `count` of them or as many as there are.
  package func slices(from offset: Int, count: Int) -> [CheckpointSlice] {
    var slices: [CheckpointSlice] = []
    var place = max(0, offset)
    let end = min(byteCount, place + max(0, count))
    while place < end {
      let (file, start, size) = file(at: place)
      let upTo = min(start + size, end)
      slices.append(
        CheckpointSlice(file: file, range: (place - start)..<(upTo - start), isLast: upTo == start + size))
      place = upTo
    }
    return slices
  }

  /// The file that byte `place` of the stream belongs to, with the file's place and size.
  private func file(at place: Int) -> (CheckpointFile, start: Int, size: Int) {
    let number = place / partBytes
    let weightCount = Self.count(weights)
    let momentCount = Self.count(moments)
    if number < weightCount {
      return (.weights(Self.element(number, of: weights)), number * partBytes, partBytes)
    }
    if number < weightCount + filesOfState * momentCount {
      let moment = number - weightCount
      let evaluation = Self.element(moment / filesOfState, of: moments)
      return (files(ofState: evaluation)[moment % filesOfState], number * partBytes, partBytes)
    }
    return (.checkpoint, (weightCount + filesOfState * momentCount) * partBytes, checkpointBytes)
  }

  /// What of this checkpoint somebody lacks who has the parts of `other`. The checkpoint's own file is always lacking.
  package func lacking(_ other: CheckpointContents?) -> CheckpointContents {
    guard let other, other.partBytes == partBytes, other.hasSlowGradients == hasSlowGradients else { return self }
    return CheckpointContents(
      epoch: epoch, checkpointBytes: checkpointBytes, partBytes: partBytes,
      weights: Self.difference(weights, other.weights), moments: Self.difference(moments, other.moments),
      hasSlowGradients: hasSlowGradients)
  }

  /// Why these cannot be contents of a checkpoint of `experiment`, or nil. Whoever keeps what it is offered or granted asks
  /// this first: nobody fills a disk with what no run writes.
  package func problem(for experiment: Experiment) -> String? {
    let numbers = SnapshotStore.numbersOfPart(experiment)
    let expected = SealedSize.header + 4 * numbers
    if partBytes != expected { return "parts of \(partBytes) bytes where \(expected) are right" }
    if hasSlowGradients != experiment.training.filtersGradients {
      return hasSlowGradients ? "slow gradients that the run does not have" : "no slow gradients"
    }
    // Weights, the optimizer's state, the train mask, and a record of the run so far.
    let pairs = experiment.task.modulus * experiment.task.modulus
    let least = (1 + filesOfState) * 4 * numbers + pairs
    let most = least + (16 << 20) + 1024 * experiment.evaluationCount
    if !(least...most).contains(checkpointBytes) {
      return "a checkpoint of \(checkpointBytes) bytes where \(least) to \(most) are right"
    }
    if !(0...experiment.training.epochs).contains(epoch) { return "a checkpoint of epoch \(epoch)" }
    let bound = experiment.evaluationCount + 1
    for ranges in [weights, moments] {
      if ranges.count > Self.maximumRanges { return "parts in \(ranges.count) pieces" }
      var next = 0
      for range in ranges {
        if range.isEmpty || range.lowerBound < next || range.upperBound > bound {
          return "parts \(range.lowerBound) to \(range.upperBound) out of place"
        }
        next = range.upperBound + 1
      }
    }
    return nil
  }

  private static func count(_ ranges: [Range<Int>]) -> Int { ranges.reduce(0) { $0 + $1.count } }

  private static func element(_ place: Int, of ranges: [Range<Int>]) -> Int {
    var place = place
    for range in ranges {
      if place < range.count { return range.lowerBound + place }
      place -= range.count
    }
    preconditionFailure("place \(place) beyond \(ranges)")
  }

  private static func ranges(of numbers: [Int]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    for number in numbers.sorted() {
      if let last = ranges.last, number <= last.upperBound {
        ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, number + 1)
      } else {
        ranges.append(number..<(number + 1))
      }
    }
    return ranges
  }

  private static func difference(_ ranges: [Range<Int>], _ others: [Range<Int>]) -> [Range<Int>] {
    var left: [Range<Int>] = []
    for range in ranges {
      var start = range.lowerBound
      for other in others where other.upperBound > start && other.lowerBound < range.upperBound {
        if other.lowerBound > start { left.append(start..<other.lowerBound) }
        start = max(start, other.upperBound)
      }
      if start < range.upperBound { left.append(start..<range.upperBound) }
    }
    return left
  }
}

/// Sizes of the files that a run keeps; written by `SealedFile`.
package enum SealedSize {
  /// Bytes before a file's body.
  package static let header = 32
}

/// A wish for bytes of a checkpoint.
package struct CheckpointRequest: Hashable, Sendable {
  /// What the one who asks lacks; its bytes are the stream. The epoch says of which checkpoint.
  package var missing: CheckpointContents
  package var offset: Int
  /// At most `CheckpointContents.maximumChunkBytes`.
  package var count: Int

  package init(missing: CheckpointContents, offset: Int, count: Int) {
    self.missing = missing
    self.offset = offset
    self.count = count
  }

  package var slices: [CheckpointSlice] { missing.slices(from: offset, count: count) }
}

/// Bytes of a checkpoint, from `offset` of the stream that the request named.
package struct CheckpointChunk: Hashable, Sendable {
  package var epoch: Int
  package var offset: Int
  package var bytes: [UInt8]

  package init(epoch: Int, offset: Int, bytes: [UInt8]) {
    self.epoch = epoch
    self.offset = offset
    self.bytes = bytes
  }
}
