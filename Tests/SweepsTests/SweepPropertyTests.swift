// Sweep files by the thousand, from a seeded generator: equal meaning gives equal ids, and no text traps.

import Foundation
import Sweeps
import Testing

@Suite struct SweepPropertyTests {
  private static let groups: [(String, [String])] = [
    ("task", ["modulus: 59", "train_fraction: 0.45", "operation: subtract"]),
    ("model", ["d_model: 32", "heads: 2", "d_mlp: 64", "d_vocab_out: p"]),
    ("training", ["epochs: 500", "beta1: 0.8", "epsilon: 1e-7", "warmup_epochs: 5"]),
  ]
  private static let axes = [
    "training.weight_decay: [0.3, 1, 3]", "training.learning_rate: {from: 0.001, to: 0.003, step: 0.001}",
    "seed: {count: 2}",
  ]

  @Test(arguments: 0..<50)
  func `shuffled keys give the same points`(seed: UInt64) throws {
    func text(_ generator: inout SplitMix) -> String {
      var parts = Self.groups.map { group in
        "\(group.0):\n" + group.1.shuffled(using: &generator).map { "  \($0)\n" }.joined()
      }
      parts.append("axes:\n" + Self.axes.shuffled(using: &generator).map { "  \($0)\n" }.joined())
      parts.append("sweep: shuffled # \(generator.next())\n")
      return parts.shuffled(using: &generator).joined()
    }
    var generator = SplitMix(state: seed)
    let one = try SweepFile(text: text(&generator), fileName: "x")
    let other = try SweepFile(text: text(&generator), fileName: "y")
    #expect(one.points.map(\.id).sorted() == other.points.map(\.id).sorted())
    #expect(one.canonical == other.canonical)
    #expect(Set(one.points.map(\.id)).count == 18)
  }

  /// Characters that mean something to YAML, and pieces of real files, in any order.
  private static let pieces =
    [
      "\n", "\n  ", " ", ": ", ":", "- ", "? ", "[", "]", "{", "}", ", ", "#", "&a ", "*a", "!", "!!int ", "|\n", ">\n",
      "'",
    ]
    + [
      "\"", "%", "@", "`", "\t", "---\n", "...\n", "<<", "~", "null", "\\", "\\x41", "\u{e000}", "é", "\u{0}", "\r",
      "0",
    ]
    + [
      "1", "-1", "1e400", "9223372036854775808", "0.1", "axes", "seed", "from", "to", "step", "count", "task",
      "modulus",
    ]
    + ["training.weight_decay", "model.d_vocab_out", "p+1", "preset", "small", "method", "sweep", "task.modulus"]
    + ["sobol", "random", "points", "uniform", "log_uniform", "integer", "choice", "zip", "when", "exclude", "require"]
    + ["blocks", "include", "above", "not", "any", "csv", "value", "sampling_seed", "#@ 1 lines of x\n"]

  @Test(arguments: 0..<40)
  func `random text is refused or read, and never traps`(seed: UInt64) {
    var generator = SplitMix(state: seed &+ 1000)
    for _ in 0..<250 {
      let count = Int.random(in: 1...40, using: &generator)
      let text = (0..<count).map { _ in Self.pieces.randomElement(using: &generator)! }.joined()
      _ = complaints(text, Self.pieces.randomElement(using: &generator)! + "=" + text)
    }
  }

  @Test(arguments: 0..<40)
  func `real files with random damage are refused or read, and never trap`(seed: UInt64) throws {
    var generator = SplitMix(state: seed &+ 5000)
    for name in ConfigTests.names {
      let original = Array(try ConfigTests.bytes(of: name))
      for _ in 0..<50 {
        var bytes = original
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
          let position = Int.random(in: 0..<bytes.count, using: &generator)
          switch Int.random(in: 0..<4, using: &generator) {
          case 0: bytes[position] = UInt8.random(in: 0...255, using: &generator)
          case 1: bytes.remove(at: position)
          case 2: bytes.insert(contentsOf: Self.pieces.randomElement(using: &generator)!.utf8, at: position)
          default: bytes.removeSubrange(position..<min(bytes.count, position + 20))
          }
        }
        do {
          let file = try SweepFile(bytes: bytes, fileName: name, find: ConfigTests.find)
          #expect(file.points.count >= 1)
        } catch {
          #expect(error.description.hasPrefix(name))
        }
      }
    }
  }
}

/// The files that the project ships.
@Suite struct ConfigTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "configs")

  static let names = try! FileManager.default.contentsOfDirectory(atPath: folder.path)
    .filter { $0.hasSuffix(".yaml") }.sorted()

  static func bytes(of name: String) throws -> Data { try Data(contentsOf: folder.appending(path: name)) }

  /// What a file of the folder names, by its last part.
  @Sendable static func find(_ name: String) -> SweepSource {
    let last = String(name.split(separator: "/").last ?? "")
    return (try? bytes(of: last)).map { .bytes(Array($0)) } ?? .unreadable("no such file")
  }

  @Test func `the four promised sweep files are there`() {
    let promised = ["paper.yaml", "quickstart.yaml", "train-fraction.yaml", "weight-decay.yaml"]
    #expect(promised.filter { !Self.names.contains($0) } == [])
  }

  @Test(arguments: names)
  func `a ready sweep file parses, opens with its purpose and counts its points rightly`(name: String) throws {
    let bytes = try Self.bytes(of: name)
    let file = try SweepFile(bytes: Array(bytes), fileName: "configs/\(name)", find: Self.find)
    #expect(file.name + ".yaml" == name)
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.hasPrefix("# Purpose: "))
    #expect(text.contains("\n# Size: \(file.points.count) points ("))
    #expect(text.contains("\n# Cost: ") && text.contains("\n# Expected: "))
    #expect(Set(file.points.map(\.id)).count == file.points.count)
  }

  @Test func `the quickstart has at least twelve points over two axes and seeds`() throws {
    let file = try SweepFile(bytes: Array(try Self.bytes(of: "quickstart.yaml")), fileName: "quickstart.yaml")
    #expect(file.points.count >= 12)
    #expect(file.axes.count == 3 && file.axes.contains("seed"))
  }

  @Test func `the preset small is a point of the quickstart`() throws {
    let file = try SweepFile(bytes: Array(try Self.bytes(of: "quickstart.yaml")), fileName: "quickstart.yaml")
    let small = try SweepFile(text: "preset: small", fileName: "x.yaml").points[0]
    #expect(file.points.contains { $0.id == small.id })
  }

  @Test func `the train fractions are those of the released curves`() throws {
    let file = try SweepFile(bytes: Array(try Self.bytes(of: "train-fraction.yaml")), fileName: "x.yaml")
    var fractions: [Double] = []
    for point in file.points where fractions.last != point.experiment.task.trainFraction {
      fractions.append(point.experiment.task.trainFraction)
    }
    #expect(fractions == [0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.28, 0.25])
  }
}
