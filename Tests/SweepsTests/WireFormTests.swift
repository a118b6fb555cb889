// The short way of frequent messages against the long one: the same bytes, the same values, for whatever comes.

import Foundation
import Grokking
import Simulation
import Sweeps
import Testing

@Suite struct WireFormTests {
  @Test func `frequent messages of workers have the bytes that Foundation writes`() throws {
    var written = 0
    for message in WireCodecTests.workerMessages {
      guard let bytes = WireForms.frame(of: message) else { continue }
      written += 1
      #expect(Self.text(bytes) == Self.text(try WireCodec.foundationFrame(of: message)))
    }
    let expected = WireCodecTests.workerMessages.count {
      switch $0 {
      case .finished, .progress: true
      default: false
      }
    }
    #expect(written == expected)
  }

  @Test func `frequent messages of a coordinator have the bytes that Foundation writes`() throws {
    var written = 0
    for message in WireCodecTests.coordinatorMessages {
      guard let bytes = WireForms.frame(of: message) else { continue }
      written += 1
      #expect(Self.text(bytes) == Self.text(try WireCodec.foundationFrame(of: message)))
    }
    #expect(written == 3)
  }

  @Test func `what the short way writes it reads`() throws {
    for message in WireCodecTests.workerMessages where WireForms.frame(of: message) != nil {
      #expect(WireForms.workerMessage(try WireCodec.encode(message)) == message)
    }
    for message in WireCodecTests.coordinatorMessages where WireForms.frame(of: message) != nil {
      #expect(WireForms.coordinatorMessage(try WireCodec.encode(message)) == message)
    }
  }

  @Test func `what the short way reads of damaged frames is what the long way reads`() throws {
    let frequent =
      try WireCodecTests.workerMessages.filter { WireForms.frame(of: $0) != nil }.map { try WireCodec.encode($0) }
      + WireCodecTests.coordinatorMessages.filter { WireForms.frame(of: $0) != nil }.map { try WireCodec.encode($0) }
    var read = 0
    for number in 0..<10_000 {
      var mutator = WireMutator(seed: 20_261_126 &+ UInt64(number), recorded: frequent)
      let frames = mutator.next()
      guard !frames.isEmpty, frames.count <= WireCodec.maximumFrames else { continue }
      if let message = WireForms.workerMessage(frames) {
        read += 1
        #expect(try WireCodec.decodeWorkerMessage(Self.long(frames)) == message)
      }
      if let message = WireForms.coordinatorMessage(frames) {
        read += 1
        #expect(try WireCodec.decodeCoordinatorMessage(Self.long(frames)) == message)
      }
    }
    #expect(read > 300, "too few damaged frames are messages: \(read)")
  }

  @Test func `a number has the bits that Foundation reads, or is left to it`() throws {
    var random = SimulationRandom(state: 5)
    var numbers: [String] = [
      "0", "-0", "0.0", "-0.0", "1", "10", "01", "1.", ".5", "-", "", "1e22", "1e23", "1e-22", "1e-23", "1e308",
      "1e309",
      "5e-324", "2e-308", "1e-400", "9007199254740993", "123456789012345", "1234567890123456", "0.1", "1.5e", "1e+5",
      "1E5", "1e5.5", "--1", "+1", "0x10", "99999999999999999999", "1.7976931348623157e+308", "NaN", "inf", "1 ", "0e5",
      "0.3e-7", "12345678.12345678", "1e0000001", "3.0", "100e-2",
    ]
    for _ in 0..<5000 {
      let value = Double(bitPattern: random.next())
      if value.isFinite { numbers.append("\(value)") }
      numbers.append("\(Double(random.below(2_000_000_000)) / 1000)")
    }
    for text in numbers {
      var reader = WireFormReader(Array(text.utf8))
      var value = 0.5
      reader.number(&value)
      guard reader.isDone else { continue }
      let expected = try JSONDecoder().decode(Double.self, from: Data(text.utf8))
      #expect(value.bitPattern == expected.bitPattern, "\(text)")
    }
  }

  @Test func `a whole number is in range, and written as we write it`() {
    func read<Value: FixedWidthInteger>(_ text: String, _ type: Value.Type) -> Value? {
      var reader = WireFormReader(Array(text.utf8))
      var value: Value = 1
      reader.whole(&value)
      return reader.isDone ? value : nil
    }
    #expect(read("9223372036854775807", Int64.self) == .max)
    #expect(read("-9223372036854775808", Int64.self) == .min)
    #expect(read("18446744073709551615", UInt64.self) == .max)
    for text in ["9223372036854775808", "-9223372036854775809", "-0", "00", "01", "", "-", "1.0", "1e2", "1E2", " 1"] {
      #expect(read(text, Int64.self) == nil)
    }
    for text in ["18446744073709551616", "-1"] { #expect(read(text, UInt64.self) == nil) }
    for value in [0, -1, 9, 10, Int.max, Int.min] {
      var (writer, value) = (WireFormWriter(), value)
      writer.whole(&value)
      #expect(writer.text == Array("\(value)".utf8))
    }
  }

  @Test func `texts that need escapes, and numbers that are none, are left to Foundation`() {
    for text in ["\"", "\\", "\n", "ü", "\u{7F}"] {
      var (writer, text) = (WireFormWriter(), text)
      writer.text(&text)
      #expect(writer.text == nil)
    }
    for number in [Double.nan, .infinity] {
      var (writer, number) = (WireFormWriter(), number)
      writer.number(&number)
      #expect(writer.text == nil)
    }
  }

  private static func text(_ frame: [UInt8]) -> String { String(decoding: frame, as: UTF8.self) }

  /// With a blank behind its first frame, which the short way does not read.
  private static func long(_ frames: [[UInt8]]) -> [[UInt8]] { [frames[0] + [0x20]] + frames.dropFirst() }
}
