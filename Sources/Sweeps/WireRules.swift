// What no run can say, whatever its numbers: bounds and orders of a result, beyond those of its frames.
//
// They hold for both sides. A worker whose engine broke one fails its point with these words, instead of sending for
// ever what no coordinator takes.

import Grokking

enum WireRules {
  static func check(_ result: RunResult) throws(WireError) {
    try require((0...WireResult.maximumEpochs).contains(result.epochs), "a result of \(result.epochs) epochs")
    let spectra =
      result.evaluations.map { max($0.normsW_E.count, $0.normsW_L.count) } + [result.finalModel?.normsW_E.count ?? 0]
    let known = spectra.max() ?? 0
    let frequencies = 1...(known > 0 ? known : WireLayout.maximumFrequencies)
    try check(result.keyFrequencies.map(\.frequency), frequencies, "key_frequencies")
    try require(result.keyFrequencies.allSatisfy { $0.neurons >= 0 }, "a key frequency of a result has neurons below 0")
    if let final = result.finalModel { try check(final, frequencies) }
    try check(result.crossings, upTo: result.epochs)
    try check(result.phases, upTo: result.epochs)
  }

  private static func check(_ list: [Int], _ frequencies: ClosedRange<Int>, _ name: String) throws(WireError) {
    try require(
      list.allSatisfy(frequencies.contains) && isAscending(list),
      "\"\(name)\" of a result must ascend between 1 and \(frequencies.upperBound)")
  }

  private static func check(_ final: FinalMeasures, _ frequencies: ClosedRange<Int>) throws(WireError) {
    try check(final.keyFrequenciesW_E, frequencies, "key_frequencies_w_e")
    try check(final.keyFrequenciesNeurons, frequencies, "key_frequencies_neurons")
    try require(
      final.neurons.allSatisfy { frequencies.contains($0.frequency) }
        && final.heads.allSatisfy { frequencies.contains($0.frequency) },
      "a neuron or head of a result has a frequency outside 1 to \(frequencies.upperBound)")
    try require(
      final.neurons.allSatisfy { $0.varianceExplained >= 0 } && final.heads.allSatisfy { $0.varianceExplained >= 0 },
      "a neuron or head of a result has a share of variance below 0")
    for ablation in final.ablations {
      let isRight =
        ablation.name == .withoutFrequency
        ? ablation.frequency.map(frequencies.contains) ?? false : ablation.frequency == nil
      try require(isRight, "the ablation \(ablation.name.rawValue) of a result has the wrong frequency with it")
    }
    // In the order of their names, those of one name by frequency: so none comes twice either.
    let places = final.ablations.map { ablation in
      Ablation.Name.allCases.firstIndex(of: ablation.name)! * 65_536 + (ablation.frequency ?? 0)
    }
    try require(isAscending(places), "the ablations of a result are out of order")
  }

  /// All that are watched, in order, or none.
  private static func check(_ crossings: [Crossing], upTo epochs: Int) throws(WireError) {
    let watched = CrossingMeasure.allCases.flatMap { measure in
      measure.thresholds.map { Crossing(measure: measure, threshold: $0) }
    }
    let named = crossings.map { Crossing(measure: $0.measure, threshold: $0.threshold) }
    try require(named.isEmpty || named == watched, "the crossings of a result are not those that are watched")
    for crossing in crossings {
      let first = crossing.first ?? 0
      let isPossible =
        (0...epochs).contains(first)
        && (crossing.sustained.map { crossing.first != nil && (first...epochs).contains($0) } ?? true)
      try require(
        isPossible,
        "the crossing of \(crossing.measure.rawValue) \(crossing.threshold) of a result has impossible epochs")
    }
  }

  private static func check(_ phases: [Phase], upTo epochs: Int) throws(WireError) {
    let places = phases.map { Phase.Name.allCases.firstIndex(of: $0.name)! }
    try require(isAscending(places), "the phases of a result are out of order")
    for phase in phases {
      let isPossible = (0...epochs).contains(phase.start) && (phase.start...epochs).contains(phase.end ?? phase.start)
      try require(isPossible, "the phase \(phase.name.rawValue) of a result has impossible epochs")
    }
  }

  private static func isAscending(_ list: [Int]) -> Bool { zip(list, list.dropFirst()).allSatisfy { $0 < $1 } }

  private static func require(_ holds: Bool, _ complaint: @autoclosure () -> String) throws(WireError) {
    guard holds else { throw .malformed(complaint()) }
  }
}
