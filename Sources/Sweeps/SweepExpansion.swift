// Which candidates of the blocks are points: conditions and rules are tried on each, experiments that cannot be trained
// are counted, and what came before, in this block or an earlier one, is left out. A plain grid needs none of this.

import Grokking

extension SweepDraft {
  /// Keeps the points of each block. Reports rules that leave nothing, axes that exist nowhere, and experiments that cannot
  /// be trained.
  mutating func expand(_ blocks: [SweepBlock], _ drafts: [SweepBlockDraft]) -> [SweepBlock] {
    if blocks.count == 1, blocks[0].isPlainGrid {
      refuseImpossible(inPlain: blocks[0], drafts[0])
      return blocks
    }
    var blocks = blocks
    var known = ExperimentTable(keys: SweepPoints(blocks: blocks).axes.compactMap(ExperimentKey.key))
    var total = 0
    for index in blocks.indices {
      var scan = BlockScan(blocks[index])
      var hasTwin = false
      for candidate in 0..<blocks[index].candidateCount {
        guard let experiment = scan.look(at: candidate) else { continue }
        // Experiments that differ in values without effect are one point.
        let effective = experiment.normalized
        let isNew = known.insert(effective) { block, place in
          let candidate = block == index ? scan.kept[place] : blocks[block].kept?[place] ?? 0
          return blocks[block].experiment(ofCandidate: Int(candidate))?.normalized == effective
        }
        guard isNew else {
          if !hasTwin, let searched = blocks[index].axes.first(where: { $0.search != nil }) {
            hasTwin = true
            let setting = blocks[index].described(candidate: candidate)?.setting ?? ""
            report(
              searched.place,
              "\(searched.name) is searched, but \(setting) is the same experiment as an earlier combination, since a value "
                + "has no effect there, so its search would have a hole; make it a sweep of its own, or leave it out by a rule"
            )
          }
          continue
        }
        scan.keep(candidate, experiment)
        total += 1
        if total > SweepAxis.maximumValues {
          let what = blocks.count > 1 ? "the blocks make" : "the axes make"
          report(
            drafts[index].place,
            "\(what) more than \(SweepAxis.maximumValues) points, which a sweep may have at most; make axes shorter, or "
              + "several sweeps")
          return blocks
        }
      }
      refuseImpossible(scan.impossible, of: scan.kept.count, in: blocks[index], drafts[index])
      refuseNothing(scan, drafts[index])
      blocks[index].kept = scan.kept
      known.endBlock()
    }
    return blocks
  }

  private mutating func refuseNothing(_ scan: BlockScan, _ draft: SweepBlockDraft) {
    guard unreadable.isEmpty else { return }
    let axes = scan.block.axes
    if scan.passed == 0 {
      let counts = zip(scan.block.rules, scan.taken).filter { $0.1 > 0 }
      let words = counts.map { "\($0.word)\($0.place.whereabouts) takes \($1)" }.joined(separator: ", ")
      let contradict = counts.count > 1 ? "; together they contradict the axes, or each other" : ""
      report(
        counts.first?.0.place ?? draft.place,
        "no point is left of \(scan.combinations): \(words)\(contradict); relax a rule, or widen an axis")
    }
    // Samples may miss by chance a condition on what is drawn, and a value of a list.
    let drawn = scan.block.sampling == nil ? [] : Sampling.sampledAxes(axes).flatMap { axes[$0].keys.map(\.path) }
    for (index, axis) in axes.enumerated()
    where scan.seen[index].allSatisfy({ !$0 }) && !axis.conditionKeys.contains(where: { drawn.contains($0) }) {
      report(
        axis.place, "\(axis.name) exists at no point, since its condition never holds; correct when, or remove the axis"
      )
    }
    guard scan.block.sampling == nil else { return }
    for (index, axis) in axes.enumerated() where scan.seen[index].contains(true) {
      for (row, condition) in (axis.rows?.conditions ?? []).enumerated()
      where condition != nil && !scan.seen[index][row] {
        let value = axis.rows?.columns[0][row]?.label ?? ""
        report(
          axis.place(ofRow: row),
          "the value \(value) of \(axis.name) exists at no point, since its condition never holds; correct when, or remove it"
        )
      }
    }
  }
}

/// Goes over the candidates of a block and counts what it meets.
private struct BlockScan {
  let block: SweepBlock
  private(set) var kept: [UInt32] = []
  /// Candidates that each rule took, the first that does.
  private(set) var taken: [Int]
  private(set) var combinations = 0
  private(set) var passed = 0
  private(set) var impossible = ImpossibleTally()
  /// By axis, and by row where rows have conditions: whether it was ever there.
  private(set) var seen: [[Bool]]

  init(_ block: SweepBlock) {
    self.block = block
    taken = block.rules.map { _ in 0 }
    seen = block.axes.map { axis in
      let isOpen = axis.condition == nil && axis.rows?.conditions.isEmpty ?? true
      return isOpen ? [true] : [Bool](repeating: false, count: max(1, axis.rows?.conditions.count ?? 1))
    }
  }

  /// nil when the candidate is no point.
  mutating func look(at candidate: Int) -> Experiment? {
    var experiment = block.base
    guard
      block.set(
        candidate, &experiment,
        { axis, row, _, _ in
          let place = seen[axis].count > 1 ? row ?? 0 : 0
          if !seen[axis][place] { seen[axis][place] = true }
        })
    else { return nil }
    combinations += 1
    for (index, rule) in block.rules.enumerated() where rule.excluded.holds(experiment) {
      taken[index] += 1
      return nil
    }
    passed += 1
    return experiment
  }

  /// The candidate is a point.
  mutating func keep(_ candidate: Int, _ experiment: Experiment) {
    kept.append(UInt32(candidate))
    impossible.count(experiment, candidate)
  }
}

/// Experiments that were met, in 8 to 16 bytes each: they are made again to be compared.
private struct ExperimentTable {
  /// Those in which experiments can differ within a block.
  let keys: [ExperimentKey]
  private var slots = [UInt32](repeating: 0, count: 1024)
  private var hashes: [UInt32] = []
  /// The number of experiments before each block.
  private var starts = [0]

  init(keys: [ExperimentKey]) { self.keys = keys }

  mutating func endBlock() { starts.append(hashes.count) }

  /// False when it was there. `isEqual` compares with the one that came at this place in this block.
  mutating func insert(_ experiment: Experiment, isEqual: (_ block: Int, _ place: Int) -> Bool) -> Bool {
    if slots.count < 2 * (hashes.count + 1) { grow() }
    let hash = hash(of: experiment)
    var slot = Int(hash) & (slots.count - 1)
    while slots[slot] != 0 {
      let number = Int(slots[slot]) - 1
      if hashes[number] == hash {
        let block = starts.lastIndex { $0 <= number }!
        if isEqual(block, number - starts[block]) { return false }
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    hashes.append(hash)
    slots[slot] = UInt32(hashes.count)
    return true
  }

  private func hash(of experiment: Experiment) -> UInt32 {
    var hash: UInt64 = 0
    for key in keys {
      let bits: UInt64 =
        switch key.current(in: experiment) {
        case .number(let number)?: number.bitPattern
        case .word(let word)?: word.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) }
        case .flag(let flag)?: flag ? 1 : 2
        case .modulusPlus?, .absent?, nil: 3
        }
      hash = SampleChance.mixed(hash &+ SampleChance.golden &+ bits)
    }
    return UInt32(truncatingIfNeeded: hash >> 32)
  }

  private mutating func grow() {
    let size = 2 * slots.count
    slots = [UInt32](repeating: 0, count: size)
    for (number, hash) in hashes.enumerated() {
      var slot = Int(hash) & (size - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (size - 1) }
      slots[slot] = UInt32(number + 1)
    }
  }
}
