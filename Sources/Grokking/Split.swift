// Which pairs are trained on; all others are the test set.

/// A division of the p² pairs into train and test.
package struct Split: Hashable, Sendable {
  package let modulus: Int
  /// p², true where pair (a, b), at a·p+b, is trained on.
  package let trainMask: [Bool]

  package init(trainMask: [Bool], modulus: Int) {
    precondition(trainMask.count == modulus * modulus, "\(trainMask.count) pairs of residues mod \(modulus)")
    self.modulus = modulus
    self.trainMask = trainMask
  }

  /// Draws ⌊train_fraction·p²⌋ pairs without replacement by the data seed.
  package init(experiment: Experiment) {
    let count = experiment.task.modulus * experiment.task.modulus
    var stream = RandomStream(seed: experiment.dataSeed, stream: "split")
    // The first entries of a Fisher–Yates shuffle.
    var pairs = Array(0..<count)
    var mask = [Bool](repeating: false, count: count)
    for drawn in 0..<experiment.trainPairCount {
      pairs.swapAt(drawn, drawn + stream.uniform(below: count - drawn))
      mask[pairs[drawn]] = true
    }
    self.init(trainMask: mask, modulus: experiment.task.modulus)
  }

  /// Indices a·p+b, ascending.
  package var trainPairs: [Int] { trainMask.indices.filter { trainMask[$0] } }
  /// Indices a·p+b, ascending.
  package var testPairs: [Int] { trainMask.indices.filter { !trainMask[$0] } }
}
