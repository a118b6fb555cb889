// Files of a simulated run, on a worker's scratch disk or on the coordinator's shelf: bytes that say what they are.
//
// Every file opens with a seal: point, file, epoch and a checksum of the rest, which in turn follows from them. So a
// damaged file is seen by its checksum, as the real ones are, and a whole file in the wrong place by its names; the
// first costs time, the second is a violation.

import Sweeps

struct SimulatedFiles {
  private var files: [(file: CheckpointFile, bytes: [UInt8])] = []

  var isEmpty: Bool { files.isEmpty }
  var byteCount: Int { files.reduce(0) { $0 + $1.bytes.count } }

  subscript(_ file: CheckpointFile) -> [UInt8]? {
    get { files.first { $0.file == file }?.bytes }
    set {
      if let place = files.firstIndex(where: { $0.file == file }) {
        if let newValue { files[place].bytes = newValue } else { files.remove(at: place) }
      } else if let newValue {
        files.append((file, newValue))
      }
    }
  }

  /// Of a checkpoint as written by the run itself. Parts that are there stay: they cannot change.
  mutating func write(_ contents: CheckpointContents, of point: Int) {
    for file in contents.files where self[file] == nil || file == .checkpoint {
      self[file] = Seal(point: point, file: file, epoch: file == .checkpoint ? contents.epoch : 0)
        .bytes(count: file == .checkpoint ? contents.checkpointBytes : contents.partBytes)
    }
  }

  /// What a slice names; nil when any byte of it is not there.
  func read(_ slices: [CheckpointSlice]) -> [UInt8]? {
    var bytes: [UInt8] = []
    for slice in slices {
      guard let file = self[slice.file], slice.range.upperBound <= file.count else { return nil }
      bytes += file[slice.range]
    }
    return bytes
  }

  /// Appends to or overwrites files at the places that `slices` name; false when a slice begins beyond a file's end.
  mutating func write(_ bytes: [UInt8], at slices: [CheckpointSlice]) -> Bool {
    var read = 0
    for slice in slices {
      guard read + slice.range.count <= bytes.count else { return false }
      var file = self[slice.file] ?? []
      guard slice.range.lowerBound <= file.count else { return false }
      let piece = bytes[read..<(read + slice.range.count)]
      if slice.range.upperBound <= file.count {
        file.replaceSubrange(slice.range, with: piece)
      } else {
        file.replaceSubrange(slice.range.lowerBound..., with: piece)
      }
      self[slice.file] = file
      read += slice.range.count
    }
    return read == bytes.count
  }

  /// Takes over the files of `other`, as renames do.
  mutating func take(_ other: SimulatedFiles) {
    for (file, bytes) in other.files { self[file] = bytes }
  }

  /// Flips a bit of one of the files.
  mutating func damage(_ random: inout SimulationRandom) {
    guard !files.isEmpty else { return }
    let place = random.below(files.count)
    guard !files[place].bytes.isEmpty else { return }
    files[place].bytes[random.below(files[place].bytes.count)] ^= UInt8(1 << random.below(8))
  }

  enum Check: Equatable {
    case whole
    /// Missing, cut or damaged: seen by size and checksum.
    case unusable(String)
    /// Whole by its checksum, and not what it should be.
    case foreign(String)
  }

  /// Whether these are all of `contents` of this point.
  ///
  /// - Parameter newcomers: where given, only these files are read; of others the size is believed, as the real shelf does
  ///   of what it checked once.
  func check(_ contents: CheckpointContents, of point: Int, reading newcomers: SimulatedFiles? = nil) -> Check {
    for file in contents.files {
      guard let bytes = self[file] else { return .unusable("\(file) is missing") }
      let size = file == .checkpoint ? contents.checkpointBytes : contents.partBytes
      if let newcomers, newcomers[file] == nil, bytes.count == size { continue }
      guard bytes.count == size, let seal = Seal(checking: bytes) else { return .unusable("\(file) is damaged") }
      guard seal.point == point, seal.number == Seal.number(of: file) else {
        return .foreign("\(file) belongs to point \(seal.point)")
      }
      if file == .checkpoint, seal.epoch != contents.epoch {
        return .foreign("the checkpoint is of epoch \(seal.epoch), not \(contents.epoch)")
      }
    }
    return .whole
  }

  /// The epoch of the checkpoint that is here, if it is not damaged.
  var epoch: Int? { self[.checkpoint].flatMap(Seal.init(checking:))?.epoch }
}

/// The first 32 bytes of a file.
struct Seal {
  let point: Int
  let number: Int
  let epoch: Int

  init(point: Int, file: CheckpointFile, epoch: Int) {
    self.point = point
    number = Seal.number(of: file)
    self.epoch = epoch
  }

  /// nil when the checksum does not fit the bytes.
  init?(checking bytes: [UInt8]) {
    guard bytes.count >= SealedSize.header else { return nil }
    let words = (0..<4).map { Seal.word(bytes, $0 * 8) }
    (point, number, epoch) = (
      Int(truncatingIfNeeded: words[0]), Int(truncatingIfNeeded: words[1]), Int(truncatingIfNeeded: words[2])
    )
    guard words[3] == Seal.checksum(bytes[SealedSize.header...], after: words[0] ^ words[1] &* 31 ^ words[2] &* 961)
    else { return nil }
  }

  /// The sealed file: its body is noise that follows from the names.
  func bytes(count: Int) -> [UInt8] {
    var random = SimulationRandom(state: UInt64(point) << 40 ^ UInt64(number + 1) << 20 ^ UInt64(epoch))
    var body: [UInt8] = []
    body.reserveCapacity(count - SealedSize.header + 8)
    while body.count < count - SealedSize.header {
      withUnsafeBytes(of: random.next().littleEndian) { body.append(contentsOf: $0) }
    }
    body.removeLast(body.count - (count - SealedSize.header))
    let names = [UInt64(point), UInt64(number), UInt64(epoch)]
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    for word in names + [Seal.checksum(body[...], after: names[0] ^ names[1] &* 31 ^ names[2] &* 961)] {
      withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
    }
    return bytes + body
  }

  static func number(of file: CheckpointFile) -> Int {
    switch file {
    case .checkpoint: 0
    case .weights(let number): 1 + 3 * number
    case .firstMoment(let number): 2 + 3 * number
    case .secondMoment(let number): 3 + 3 * number
    }
  }

  private static func word(_ bytes: [UInt8], _ place: Int) -> UInt64 {
    (0..<8).reduce(0) { $0 | UInt64(bytes[place + $1]) << UInt64(8 * $1) }
  }

  /// FNV-1a.
  private static func checksum(_ bytes: ArraySlice<UInt8>, after start: UInt64) -> UInt64 {
    var sum: UInt64 = 0xCBF2_9CE4_8422_2325 ^ start
    for byte in bytes { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return sum
  }
}
