// What there is to learn: the label of every pair of residues (`measures.md` section 1).

extension LearningTask {
  /// Label of pair (a, b) at a·p+b, each in 0..<p. The data seed matters for `random` alone.
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
}

extension Experiment {
  /// Label of pair (a, b) at a·p+b.
  package var labels: [Int32] { task.labels(dataSeed: dataSeed) }
}
