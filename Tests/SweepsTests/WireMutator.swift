// Recorded frames, damaged in the ways in which an attacker or a broken machine would: bits, lengths, structure, numbers.
// Everything follows from a seed.

import Foundation
import Simulation
import Sweeps

struct WireMutator {
  private var random: SimulationRandom
  private let recorded: [[[UInt8]]]

  init(seed: UInt64, recorded: [[[UInt8]]]) {
    random = SimulationRandom(state: seed)
    self.recorded = recorded
  }

  /// A recorded message with one to four changes.
  mutating func next() -> [[UInt8]] {
    var frames = recorded[random.below(recorded.count)]
    for _ in 0...random.below(4) { change(&frames) }
    return frames
  }

  private mutating func change(_ frames: inout [[UInt8]]) {
    // The first frame is JSON, a second one is not: each has its own weak places.
    if random.chance(0.05) { return changeFrames(&frames) }
    guard !frames.isEmpty else { return }
    let place = random.below(frames.count)
    guard !frames[place].isEmpty else { return }
    switch random.below(place == 0 ? 10 : 5) {
    case 0: flipBits(&frames[place])
    case 1: cut(&frames[place])
    case 2: splice(&frames[place])
    case 3, 4: if place == 0 { replaceToken(&frames[place]) } else { setNumber(&frames[place]) }
    case 5: doubleKey(&frames[place])
    case 6: nest(&frames[place])
    case 7: spoilText(&frames[place])
    default: replaceToken(&frames[place])
    }
  }

  private mutating func changeFrames(_ frames: inout [[UInt8]]) {
    switch random.below(4) {
    case 0: if !frames.isEmpty { frames.removeLast() }
    case 1: frames.append(recorded[random.below(recorded.count)].last ?? [])
    case 2: frames = frames.reversed()
    default: frames += Array(repeating: [0], count: random.below(10))
    }
  }

  private mutating func flipBits(_ frame: inout [UInt8]) {
    for _ in 0...random.below(8) { frame[random.below(frame.count)] ^= 1 << UInt8(random.below(8)) }
  }

  private mutating func cut(_ frame: inout [UInt8]) {
    if random.chance(0.5) {
      frame.removeLast(random.below(frame.count))
    } else {
      frame.removeFirst(random.below(frame.count))
    }
  }

  /// A piece of any frame over, or into, a place of this one.
  private mutating func splice(_ frame: inout [UInt8]) {
    let other = recorded[random.below(recorded.count)].last ?? []
    guard !other.isEmpty else { return }
    let from = random.below(other.count)
    let piece = other[from..<min(other.count, from + 1 + random.below(64))]
    let place = random.below(frame.count)
    let end = random.chance(0.5) ? place : min(frame.count, place + piece.count)
    frame.replaceSubrange(place..<end, with: piece)
  }

  /// A count, an epoch or a float of a binary frame gets an extreme value; the counts stand in the first 29 bytes.
  private mutating func setNumber(_ frame: inout [UInt8]) {
    let extremes: [UInt64] = [
      0, 1, 2, 0x7F, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x7FFF_FFFF_FFFF_FFFF, 1 << 63, .max,
      0x7FF0_0000_0000_0000, 0x7FF8_0000_0000_0000, 0xFFF0_0000_0000_0000, 0x8000_0000_0000_0000, 0x7F80_0000,
    ]
    let value = extremes[random.below(extremes.count)]
    let width = [1, 2, 4, 8][random.below(4)]
    let start = random.chance(0.5) ? random.below(min(frame.count, 64)) : random.below(frame.count)
    for byte in 0..<width where start + byte < frame.count {
      frame[start + byte] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(byte)))
    }
  }

  private static let values = [
    "null", "true", "0", "-0", "-1", "1", "2", "1e999", "-1e999", "1e-999", "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616", "0.1", "1e15",
    "100000000", "100000001", "4294967296", "4611686018427387903", "4611686018427387904", "1.7976931348623157e308",
    "\"\"", "\"x\"", "\"hello\"", "\"finished\"", "\"chunk\"", "\"request\"", "\"../../../etc/passwd\"", "[]", "{}",
    "[[]]", "[null]", "[0,1]", "[[0,1],[2,3]]", "[[0,100000000]]", "\"\\u0000\"", "\"\\ud800\"", "\"\\n\\u001b[2J\"",
    "NaN",
    "Infinity", "tru", "--1", "01", "1.", ".5", "\"", "{", "[", ",", ":",
  ]

  /// A number, text, literal or bracket becomes something else.
  private mutating func replaceToken(_ frame: inout [UInt8]) {
    let tokens = Self.tokens(of: frame)
    guard !tokens.isEmpty else { return }
    let value =
      random.chance(0.05)
      ? Array(repeating: UInt8(ascii: "9"), count: random.below(400))
      : Array(Self.values[random.below(Self.values.count)].utf8)
    frame.replaceSubrange(tokens[random.below(tokens.count)], with: value)
  }

  /// The same key twice, in either order, or one that nobody knows.
  private mutating func doubleKey(_ frame: inout [UInt8]) {
    let braces = frame.indices.filter { frame[$0] == UInt8(ascii: "{") }
    guard !braces.isEmpty else { return }
    let keys = Self.tokens(of: frame).filter {
      $0.upperBound < frame.count && frame[$0.upperBound] == UInt8(ascii: ":")
    }
    let key = keys.isEmpty ? Array("\"unknown\"".utf8) : Array(frame[keys[random.below(keys.count)]])
    let pair = key + Array(":\(Self.values[random.below(Self.values.count)]),".utf8)
    frame.insert(contentsOf: pair, at: braces[random.below(braces.count)] + 1)
  }

  /// Brackets within brackets, closed or not.
  private mutating func nest(_ frame: inout [UInt8]) {
    let tokens = Self.tokens(of: frame)
    guard !tokens.isEmpty else { return }
    let depth = [3, 100, 511, 512, 513, 2000, 100_000][random.chance(0.02) ? random.below(7) : random.below(3)]
    let isObject = random.chance(0.3)
    let open = Array((isObject ? "{\"a\":" : "[").utf8)
    let close = Array((isObject ? "}" : "]").utf8)
    var bomb = (0..<depth).flatMap { _ in open } + [UInt8(ascii: "0")]
    if random.chance(0.8) { bomb += (0..<depth).flatMap { _ in close } }
    frame.replaceSubrange(tokens[random.below(tokens.count)], with: bomb)
  }

  /// Bytes that are no UTF-8, characters that move cursors, and long texts.
  private mutating func spoilText(_ frame: inout [UInt8]) {
    let texts = Self.tokens(of: frame).filter { frame[$0.lowerBound] == UInt8(ascii: "\"") && $0.count > 1 }
    guard !texts.isEmpty else { return }
    let spoils: [[UInt8]] = [
      [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0x00], [0x1B, 0x5B], [0x5C],
      Array("\\u202e".utf8), Array("é".utf8), Array(repeating: 0x61, count: 300), Array(repeating: 0x61, count: 5000),
    ]
    frame.insert(
      contentsOf: spoils[random.below(spoils.count)], at: texts[random.below(texts.count)].lowerBound + 1)
  }

  /// Texts, runs of number and letter bytes, and single marks; of damaged JSON too.
  private static func tokens(of frame: [UInt8]) -> [Range<Int>] {
    var tokens: [Range<Int>] = []
    var place = 0
    func isWord(_ byte: UInt8) -> Bool {
      (48...57).contains(byte) || (97...122).contains(byte) || byte == 45 || byte == 46 || byte == 43 || byte == 69
    }
    while place < frame.count && tokens.count < 4000 {
      let start = place
      if frame[place] == UInt8(ascii: "\"") {
        place += 1
        while place < frame.count, frame[place] != UInt8(ascii: "\"") {
          place += frame[place] == UInt8(ascii: "\\") ? 2 : 1
        }
        place = min(frame.count, place + 1)
      } else if isWord(frame[place]) {
        while place < frame.count, isWord(frame[place]) { place += 1 }
      } else {
        place += 1
      }
      tokens.append(start..<place)
    }
    return tokens
  }
}
