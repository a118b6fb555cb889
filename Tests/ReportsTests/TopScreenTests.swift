// The screen of `top`, as a function of how things stand and of its size.

import Foundation
import Reports
import Results
import Sweeps
import Testing

@Suite struct TopScreenTests {
  private static func point(_ digit: Character) -> PointID { PointID(hex: String(repeating: digit, count: 64))! }

  /// Two sweeps, three machines with seven slots, five running points, one failure with words from elsewhere.
  private static func status(sweeps: Int = 2, failures: Int = 1) -> CoordinatorStatus {
    let workers = (0..<7).map { place in
      WorkerStatus(
        worker: Int64(place + 1), host: ["lab0", "lab0", "lab0", "ada", "ada", "node-17", "node-17"][place],
        processID: Int32(100 + place), kernelPath: place < 5 ? "avx512" : "avx2",
        point: place < 5 ? point(Character("\(place)")) : nil, epoch: place < 5 ? 1200 + place : nil,
        epochs: place < 5 ? 40_000 : nil, epochsPerSecond: place < 5 ? 50 : nil, trainLoss: place < 5 ? 2.41e-7 : nil,
        testLoss: place < 5 ? 4.73 : nil, heldSeconds: place < 5 ? 61 : nil, silentSeconds: place < 5 ? 0.4 : 95,
        secondsLeft: place == 3 ? 7200 : nil)
    }
    return CoordinatorStatus(
      store: "wd.sqlite", coordinator: nil,
      sweeps: (0..<sweeps).map { place in
        SweepProgress(
          sweep: place == 0 ? "weight-decay" : "sweep-\(place)", pending: 60, running: 5, finished: 54, failed: place,
          total: 119 + place, etaSeconds: 3720, state: place == 1 ? .paused : .active, priority: 0, isRefining: false)
      }, workers: workers, barredHosts: [],
      failures: (0..<failures).map { place in
        RecentFailure(
          point: point("f"), worker: 3, host: "lab0", kind: "crashed",
          reason: "killed\u{1B}[2Jby signal \(place)\nbadly",
          ended: "2026-11-25T22:58:04.123Z")
      }, verifications: VerificationCounts(), violations: 0, awaited: 0,
      remaining: RemainingTime(seconds: 7260, low: 6000, high: 9000), isPaused: false)
  }

  private func text(_ lines: [TopScreen.Line]) -> String { lines.map(\.text).joined(separator: "\n") }

  @Test func `a wide screen has everything`() {
    let page = text(TopScreen(Self.status()).lines(columns: 120))
    for words in [
      "wd.sqlite", "no coordinator", "2 h 01 min to go (1 h 40 min to 2 h 30 min)", "250 epochs/s",
      "7 slots on 3 machines",
      "weight-decay", "[█████████           ]", "45 %", "54/119", "1 h 02 min", "paused", "MACHINE", "lab0", "avx512",
      "node-17", "1 min 35 s ago", "2 h 00 min", "1,202/40,000", "2.41e-07", "4.73", "11-25 22:58:04",
      "crashed: killed",
    ] { #expect(page.contains(words), "\(words) is missing:\n\(page)") }
  }

  @Test func `what others wrote is no command to the terminal`() {
    for line in TopScreen(Self.status()).lines(columns: 300) {
      #expect(!line.text.unicodeScalars.contains { $0.properties.generalCategory == .control }, "\(line)")
    }
  }

  @Test(arguments: [1, 10, 20, 40, 60, 80, 100, 132, 300], [1, 2, 3, 5, 8, 12, 24, 50, 200])
  func `no size is exceeded`(columns: Int, rows: Int) {
    for failures in [0, 1, 10] {
      let screen = TopScreen(Self.status(sweeps: 30, failures: failures), remark: "as of 12 s ago: nobody answers")
      let lines = screen.lines(columns: columns, rows: rows, footer: "q quit   p hold still")
      #expect(lines.count <= rows)
      for line in lines { #expect(line.text.count <= columns, "\(line)") }
      if rows >= 5 { #expect(lines.last?.text == "q quit   p hold still".cut(to: columns)) }
    }
  }

  @Test func `a screen of 80 and of 40 columns keeps names, shares, epochs and losses`() {
    let wide = text(TopScreen(Self.status()).lines(columns: 80, rows: 24))
    for words in ["weight-decay", "45 %", "lab0", "1,200/40,000", "4.73", "2.41e-07", "crashed"] {
      #expect(wide.contains(words), "\(words) is missing:\n\(wide)")
    }
    let narrow = text(TopScreen(Self.status()).lines(columns: 40, rows: 30))
    for words in ["weight-decay", "45 %", "lab0", "1,200/40,000", "4.73", "crashed"] {
      #expect(narrow.contains(words), "\(words) is missing:\n\(narrow)")
    }
  }

  @Test func `a low screen shows something of every section and counts the rest`() {
    let page = text(TopScreen(Self.status(sweeps: 30, failures: 10)).lines(columns: 100, rows: 24))
    for words in ["SWEEP", "MACHINE", "POINT", "WENT WRONG", "… and "] {
      #expect(page.contains(words), "\(words) is missing:\n\(page)")
    }
  }

  @Test func `styles say what is wrong, and are codes only where there are colours`() {
    let lines = TopScreen(Self.status()).lines(columns: 100)
    #expect(lines.contains { $0.style == .bad && $0.text.contains("crashed") })
    #expect(lines.contains { $0.style == .doubtful && $0.text.contains("node-17") })
    let colored = lines.map { TerminalText.text($0, isColored: true) }.joined()
    #expect(colored.contains("\u{1B}[31m"))
    #expect(!lines.map { TerminalText.text($0, isColored: false) }.joined().contains("\u{1B}"))
  }

  @Test func `an empty store has a screen too`() {
    let nothing = CoordinatorStatus(
      store: "s.sqlite", coordinator: nil, sweeps: [], workers: [], barredHosts: [], failures: [],
      verifications: VerificationCounts(), violations: 0, awaited: 0, remaining: nil, isPaused: false)
    let page = text(TopScreen(nothing).lines(columns: 80, rows: 24))
    #expect(page.contains("no workers") && page.contains("no sweep yet"))
  }
}
