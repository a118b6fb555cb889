// The counts in the header of a curve's frame, and the size that follows from them: known before anything is read.

import Grokking

struct WireLayout {
  static let headerBytes = 49
  /// K of the largest modulus that `Experiment.problems` allows, 1024; its limits are also the next two.
  static let maximumFrequencies = 511
  static let maximumNeurons = 65_536
  static let maximumHeads = 4096
  private static let neuronBytes = 10
  private static let headBytes = 34
  private static let digestBytes = 40

  let evaluations: Int
  let digests: Int
  /// K of the spectra; 0 when there are none.
  let frequencies: Int
  let neurons: Int
  let heads: Int
  let hasFinalNorms: Bool
  let columns: [WireColumn]
  /// Of each of `columns`: 0 absent, 1 present at every evaluation, 2 at some.
  let states: [UInt8]

  /// Throws when lists of the result contradict each other, which no engine of ours writes.
  init(of result: RunResult) throws(WireError) {
    let (evaluations, final) = (result.evaluations, result.finalModel)
    let keys = result.keyFrequencies.map(\.frequency)
    let lengths = evaluations.map { max($0.normsW_E.count, $0.normsW_L.count) }
    let frequencies = max(lengths.max() ?? 0, final?.normsW_E.count ?? 0, final?.normsW_L.count ?? 0)
    for evaluation in evaluations { try WireLayout.check(evaluation, frequencies, keys) }
    if let final { try WireLayout.check(final, frequencies) }
    let columns = WireColumn.optional(frequencies: frequencies, keyFrequencies: keys)
    states = columns.map { column in
      let present = evaluations.count { column.read($0) != nil }
      return present == 0 ? 0 : present == evaluations.count ? 1 : 2
    }
    self.columns = columns
    self.evaluations = evaluations.count
    self.frequencies = frequencies
    digests = result.digests.count
    neurons = final?.neurons.count ?? 0
    heads = final?.heads.count ?? 0
    hasFinalNorms = final?.normsW_E.isEmpty == false
    try WireLayout.checkCounts(frequencies, neurons, heads)
  }

  private static func check(_ evaluation: Evaluation, _ frequencies: Int, _ keys: [Int]) throws(WireError) {
    let what = "the evaluation at epoch \(evaluation.epoch)"
    for norms in [evaluation.normsW_E, evaluation.normsW_L] where !norms.isEmpty && norms.count != frequencies {
      throw .malformed("\(what) has a spectrum of \(norms.count) frequencies instead of \(frequencies)")
    }
    let tensors = evaluation.sumSquaredByTensor.count
    guard tensors == 0 || tensors == TensorName.allCases.count else {
      throw .malformed("\(what) has sums of squares of \(tensors) tensors instead of \(TensorName.allCases.count)")
    }
    guard evaluation.keyFrequencies.isEmpty || evaluation.keyFrequencies.map(\.frequency) == keys else {
      throw .malformed("\(what) measures other frequencies than the key frequencies")
    }
  }

  private static func check(_ final: FinalMeasures, _ frequencies: Int) throws(WireError) {
    let (W_E, W_L) = (final.normsW_E.count, final.normsW_L.count)
    guard W_E == W_L, W_E == 0 || W_E == frequencies else {
      throw .malformed("the final model has spectra of \(W_E) and \(W_L) frequencies instead of \(frequencies)")
    }
    guard final.heads.allSatisfy({ $0.attention.count == 3 }) else {
      throw .malformed("the final model has a head without its mean attention to a, b and =")
    }
  }

  private static func checkCounts(_ frequencies: Int, _ neurons: Int, _ heads: Int) throws(WireError) {
    let counts = [
      ("frequencies", frequencies, maximumFrequencies), ("neurons", neurons, maximumNeurons),
      ("heads", heads, maximumHeads),
    ]
    for (name, count, limit) in counts where count > limit {
      throw .malformed("a curve of \(count) \(name); at most \(limit) are possible")
    }
  }

  /// Reads what follows magic and version; the header's bytes are known to be there.
  init(reading reader: inout WireReader, keyFrequencies: [Int]) throws(WireError) {
    evaluations = Int(reader.integer() as UInt32)
    digests = Int(reader.integer() as UInt32)
    frequencies = Int(reader.integer() as UInt32)
    neurons = Int(reader.integer() as UInt32)
    heads = Int(reader.integer() as UInt32)
    let norms: UInt8 = reader.integer()
    try WireLayout.checkCounts(frequencies, neurons, heads)
    columns = WireColumn.optional(frequencies: frequencies, keyFrequencies: keyFrequencies)
    states = reader.bytes(columns.count)
    hasFinalNorms = norms == 1
    guard norms <= 1, states.allSatisfy({ $0 <= 2 }) else {
      throw .malformed("a curve with an unknown kind of column")
    }
    guard zip(columns, states).allSatisfy({ $0.width > 0 || $1 == 0 }), frequencies > 0 || !hasFinalNorms else {
      throw .malformed("a curve with a spectrum of no frequencies, or with measures of key frequencies that it has not")
    }
  }

  func put(into frame: inout WireWriter) {
    for count in [evaluations, digests, frequencies, neurons, heads] { frame.put(UInt32(count)) }
    frame.put(UInt8(hasFinalNorms ? 1 : 0))
    frame.bytes += states
  }

  /// Of the whole frame. Counts are below 2³² and widths below 2¹¹, so this cannot overflow.
  var byteCount: Int {
    var bytes = WireLayout.headerBytes + evaluations * 8 * (1 + WireColumn.required.count)
    for (column, state) in zip(columns, states) where state != 0 {
      bytes += evaluations * column.width * (column.isSingle ? 4 : 8)
      if state == 2 { bytes += (evaluations + 7) / 8 }
    }
    if hasFinalNorms { bytes += 2 * frequencies * 8 }
    return bytes + neurons * WireLayout.neuronBytes + heads * WireLayout.headBytes + digests * WireLayout.digestBytes
  }
}
