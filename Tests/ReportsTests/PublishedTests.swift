// published.json: that it is complete, makes sense, and that nonsense would be refused; that the sweeps are those of
// configs/ and have points for every row.

import Foundation
import Reports
import Sweeps
import Testing

@Suite struct PublishedTests {
  private static func numbers(of target: ReproductionTarget, _ measure: PublishedRow.Measure) -> [Double] {
    Published.all.rows(of: target).filter { $0.measure == measure }.compactMap {
      if case .number(let range) = $0.claim { range.lowerBound } else { nil }
    }
  }

  @Test func `every number to land on has its row`() {
    #expect(Self.numbers(of: .paper, .grokkingEpoch) == [10_000])
    #expect(Self.numbers(of: .paper, .loss) == [2.4e-7])
    #expect(Self.numbers(of: .paper, .restrictedRatio) == [0.23])
    #expect(Self.numbers(of: .paper, .sumSquaredWeights) == [950])
    #expect(Self.numbers(of: .paper, .keyFrequencyCount) == [3])
    let fractions = Published.all.rows(of: .trainFraction)
    #expect(fractions.map(\.conditions.trainFraction) == [0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.28, 0.25])
    #expect(
      Self.numbers(of: .trainFraction, .testLossUnder0_1)
        == [157, 222, 252, 222, 440, 956, 3109, 7930, 15_037, 21_848])
    #expect(Published.all.rows(of: .weightDecay).map(\.conditions.weightDecay) == [1, 0.1])
    #expect(Self.numbers(of: .weightDecay, .testLossUnder0_1) == [7930, 95_520])
    let moduli = Published.all.rows(of: .modulus)
    #expect(moduli.map(\.conditions.modulus) == [53, 53, 109, 401, 401])
    #expect(moduli.map(\.conditions.weightDecay) == [1, 5, 1, 1, 8])
    #expect(
      moduli.map(\.claim)
        == [.happens(false), .happens(true), .happens(true), .happens(false), .happens(false)])
  }

  @Test func `every row says why, and every source is used`() {
    for row in Published.all.rows { #expect(row.why.count > 10, "\(row.what)") }
    #expect(Published.all.sources(of: Published.all.rows) == Published.all.sources)
    for target in ReproductionTarget.allCases {
      #expect(Published.all.rows(of: target).contains { $0.shouldHold }, "\(target)")
    }
  }

  @Test func `every row has points in its target's sweeps`() throws {
    for target in ReproductionTarget.allCases {
      let experiments = try target.plan().flatMap { $0.points.map(\.experiment) }
      for row in Published.all.rows(of: target) {
        #expect(experiments.contains(where: row.conditions.holds), "\(target): \(row.conditions.words)")
      }
      for experiment in experiments {
        #expect(
          Published.all.rows(of: target).contains { $0.conditions.holds(for: experiment) },
          "a point that no row of \(target) is about: \(experiment)")
      }
    }
  }

  @Test(arguments: [
    #""value": -1"#, #""value": 0"#, #""range": [5, 3]"#, #""range": [1, 2, 3]"#, #""happens": true"#,
    #""value": 1, "range": [1, 2]"#, #""words": "about 7""#, #""value": 1, "seed_factor": 0.5"#,
    #""value": 1, "source": "hearsay""#,
  ])
  func `a row that makes no sense is refused`(claim: String) {
    let source = claim.contains("hearsay") ? "" : #", "source": "somewhere""#
    let json = """
      {"sources": [{"id": "somewhere", "text": "somewhere"}], "rows": [{"target": "paper", "what": "loss",
        "measure": "loss", "where": {}, "should_hold": true, "why": "a test", \(claim)\(source)}]}
      """
    #expect(throws: PublishedError.self) { try Published(json: Data(json.utf8)) }
  }
}

@Suite struct ReproductionTargetTests {
  private static let configs = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(path: "configs")

  @Test func `the sweeps inside the program are the files of configs`() throws {
    var names: [String] = []
    for (name, text) in ReproductionTarget.allCases.flatMap(\.sweeps) {
      #expect(try text == String(contentsOf: Self.configs.appending(path: "\(name).yaml"), encoding: .utf8), "\(name)")
      #expect(try SweepFile(text: text, fileName: "x.yaml").name == name)
      names.append("\(name).yaml")
    }
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.configs.path)
    #expect(files.filter { $0.hasPrefix("reproduce-") }.sorted() == names.sorted())
  }

  @Test func `the paper's points are those of paper.yaml, which a store shares`() throws {
    let bytes = [UInt8](try Data(contentsOf: Self.configs.appending(path: "paper.yaml")))
    let paper = try SweepFile(bytes: bytes, fileName: "paper.yaml")
    #expect(try ReproductionTarget.paper.plan().flatMap { $0.points.map(\.id) } == paper.points.map(\.id))
  }

  @Test func `a part of a target is a sweep of its own name with points of the whole`() throws {
    let whole = try ReproductionTarget.trainFraction.plan()[0]
    let part = try ReproductionTarget.trainFraction.plan(only: [0.9, 0.95], seeds: 1)[0]
    #expect(part.name == "reproduce-train-fraction.only-0.95-0.9.seeds-1")
    #expect(part.points.map(\.setting) == ["train_fraction=0.95", "train_fraction=0.9"])
    let ids = whole.points.map(\.id)
    #expect(part.points.allSatisfy { ids.contains($0.id) })
    #expect(
      try ReproductionTarget.modulus.plan(only: [53, 109]).map(\.name) == [
        "reproduce-modulus-53", "reproduce-modulus-109",
      ])
  }

  @Test func `asking for everything is asking for the whole`() throws {
    let whole = try ReproductionTarget.weightDecay.plan()
    let same = try ReproductionTarget.weightDecay.plan(only: [0.1, 1], seeds: 3)
    #expect(same.map(\.canonical) == whole.map(\.canonical))
  }

  @Test func `a value that a target does not have is refused with those that it has`() {
    let problem = #expect(throws: ReproductionError.self) { try ReproductionTarget.modulus.plan(only: [53, 97]) }
    #expect(problem?.message == "--only 97: modulus has no such task.modulus; it has 53, 109, 401")
    #expect(throws: ReproductionError.self) { try ReproductionTarget.paper.plan(only: [1]) }
  }
}
