// From what was read to blocks that give points: fixed values put into an experiment, conditions put in order, samples
// counted.

import Grokking

extension SweepDraft {
  /// Every block with what holds for all filled in; the file itself when it has none.
  var filledBlocks: [SweepBlockDraft] {
    layer.blocks.isEmpty ? [layer.common] : layer.blocks.map { $0.filled(from: layer.common) }
  }

  /// A number of samples or a method that no block would heed.
  mutating func refuseWithoutEffect() {
    guard !layer.blocks.isEmpty else { return }
    let rule = "the file has blocks, and each says how its points are made; move it into a block"
    if let (_, place) = layer.common.method { report(place, "method has no effect here: \(rule)") }
    if let (_, place) = layer.common.samplingSeed { report(place, "sampling_seed has no effect here: \(rule)") }
    switch layer.common.points {
    case .count(_, let place)?: report(place, "points has no effect here: \(rule)")
    case .listed(let axis)?: report(axis.place, "points has no effect here: \(rule)")
    case nil: break
    }
  }

  /// nil, with the problem reported, when there are too many points or conditions go in a circle.
  mutating func block(_ draft: SweepBlockDraft) -> SweepBlock? {
    let preset = draft.preset ?? Preset.paper
    var base = preset.experiment
    var vocabulary = SettingValue.modulusPlus(preset.vocabularyBeyondModulus)
    for entry in draft.fixed {
      if entry.key.kind == .vocabulary { vocabulary = entry.value } else { entry.key.set(entry.value, &base) }
    }
    ExperimentKey.setVocabulary(vocabulary, &base)
    let axes = draft.allAxes
    guard let order = evaluationOrder(of: axes) else { return nil }
    var sampling: Sampling?
    if let method = draft.method?.0, method.isSampled {
      guard case .count(let points, _)? = draft.points else { return nil }
      sampling = Sampling(method: method, points: points, seed: draft.samplingSeed?.0 ?? 0, axes: axes)
    } else if axes.contains(where: { $0.rows == nil }) {
      return nil
    }
    let isFiltered = !draft.rules.isEmpty || axes.contains { !$0.conditionKeys.isEmpty }
    if let block = SweepBlock(
      base: base, vocabulary: vocabulary, axes: axes, rules: draft.rules, sampling: sampling, order: order,
      limit: isFiltered ? SweepBlock.maximumCandidates : SweepAxis.maximumValues)
    {
      return block
    }
    let crossed = axes.indices.filter { sampling?.dimensions[$0] == nil }
    let sizes = (sampling.map { ["\($0.points) samples"] } ?? []) + crossed.map { String(axes[$0].rows?.count ?? 1) }
    report(
      draft.place,
      isFiltered
        ? "the axes make \(sizes.joined(separator: " × ")) combinations; at most \(SweepBlock.maximumCandidates) can be tried "
          + "against rules and conditions; make axes shorter, or several blocks"
        : "the axes make \(sizes.joined(separator: " × ")) points; a sweep may have at most \(SweepAxis.maximumValues)")
    return nil
  }

  /// Each axis behind those that its conditions look at, otherwise in their order.
  private mutating func evaluationOrder(of axes: [SweepAxis]) -> [Int]? {
    func sets(_ axis: SweepAxis, _ path: String) -> Bool {
      axis.keys.contains { key in
        key.path == path || key.path == "seed" && ["model_seed", "data_seed"].contains(path)
          || path == "seed" && key.isSeed
      }
    }
    var order: [Int] = []
    var left = Array(axes.indices)
    while !left.isEmpty {
      let next = left.first { axis in
        !left.contains { other in axes[axis].conditionKeys.contains { sets(axes[other], $0) } }
      }
      guard let next else { break }
      order.append(next)
      left.removeAll { $0 == next }
    }
    guard var here = left.first else { return order }
    // Whoever is left looks at another that is left: following them ends in the circle.
    var path: [Int] = []
    while !path.contains(here) {
      path.append(here)
      let keys = axes[here].conditionKeys
      guard let next = left.first(where: { other in keys.contains { sets(axes[other], $0) } }) else { return nil }
      here = next
    }
    let circle = path.drop { $0 != here }
    let names = circle.map { axes[$0].key.path }
    report(
      axes[here].place,
      circle.count == 1
        ? "when of \(names[0]) looks at \(names[0]) itself; write the condition over other keys"
        : "the conditions of \(names.joined(separator: ", ")) look at each other in a circle; remove one of them")
    return nil
  }
}
