// What there is to learn: the label of every pair of residues (`measures.md` section 1), and the wrong labels that some
// train pairs are given where an experiment asks for label noise.

extension LearningTask {
  /// True label of pair (a, b) at a·p+b, each in 0..<p. The data seed matters for `random` alone.
  package func labels(dataSeed: UInt64) -> [Int32] {
    let p = modulus
    var stream = RandomStream(seed: dataSeed, stream: "labels")
    return (0..<p * p).map { pair in
      let (a, b) = (pair / p, pair % p)
      switch operation {
      case .add: return Int32((a + b) % p)
      case .subtract: return Int32((a - b + p) % p)
      case .multiply: return Int32(a * b % p)
      case .x2xyy2: return Int32((a * a + a * b + b * b) % p)
      case .random: return Int32(stream.uniform(below: p))
      }
    }
  }

  /// Labels as they are trained and tested: those of ⌊labelNoise·(train pairs)⌋ train pairs, drawn without replacement
  /// by the data seed, are replaced, each by one of the p − 1 others with equal chance. Test pairs keep theirs.
  package func labels(dataSeed: UInt64, trainMask: [Bool]) -> [Int32] {
    var labels = labels(dataSeed: dataSeed)
    guard labelNoise > 0 else { return labels }
    var pairs = trainMask.indices.filter { trainMask[$0] }
    var stream = RandomStream(seed: dataSeed, stream: "label_noise")
    for drawn in 0..<Int(labelNoise * Double(pairs.count)) {
      pairs.swapAt(drawn, drawn + stream.uniform(below: pairs.count - drawn))
      let wrong = Int(labels[pairs[drawn]]) + 1 + stream.uniform(below: modulus - 1)
      labels[pairs[drawn]] = Int32(wrong % modulus)
    }
    return labels
  }
}

extension Experiment {
  /// True label of pair (a, b) at a·p+b.
  package var labels: [Int32] { task.labels(dataSeed: dataSeed) }

  /// Label of pair (a, b) at a·p+b as trained and tested, with noise on the train pairs of `split`.
  package func labels(on split: Split) -> [Int32] { task.labels(dataSeed: dataSeed, trainMask: split.trainMask) }
}
