// The second frame of a result: its curve, the long lists of its final model, and its digests; little-endian.
//
//   "GSCV"  u32 version = 2  u32 evaluations n  u32 digests m  u32 frequencies K  u32 neurons  u32 heads
//   u8 1 if norms of the final model follow, else 0  20 × u8 states of the optional columns
//   n × i64 epoch, then one column of n × f64 for each required measure
//   for each optional column, w numbers wide (f64; spectra f32): state 0: nothing; 1: n × w numbers; 2: ⌈n/8⌉ bytes of
//   presence, lowest bit first, and n × w numbers with zeros where absent
//   K × f64 norms of the final W_E and K × f64 of its W_L, or nothing
//   neurons × (u16 frequency, f64 share), then heads × (3 × f64 attention, u16 frequency, f64 share)
//   m × (i64 epoch, 32 bytes of SHA-256)
//
// The columns and their widths are in WireColumns.swift. Which frequencies are key is said in the first frame. 401
// evaluations at paper size take 0.3 MB; as JSON they would take three times that.

import Grokking

struct WireCurve {
  var evaluations: [Evaluation] = []
  /// Norms of the final model; empty where they were not measured.
  var finalNormsW_E: [Double] = []
  var finalNormsW_L: [Double] = []
  var neurons: [NeuronFit] = []
  var heads: [HeadMeasures] = []
  var digests: [EpochDigest] = []

  private static let magic: [UInt8] = [0x47, 0x53, 0x43, 0x56]
  private static let version: UInt32 = 2

  static func encode(_ result: RunResult) throws(WireError) -> [UInt8] {
    let evaluations = result.evaluations
    let layout = try WireLayout(of: result)
    guard layout.byteCount <= WireCodec.maximumFrameBytes else {
      throw .tooLarge(
        "a curve of \(evaluations.count) evaluations takes \(layout.byteCount) bytes, more than the "
          + "\(WireCodec.maximumFrameBytes) of a frame; raise measure.evaluate_every")
    }
    var frame = WireWriter(capacity: layout.byteCount)
    frame.bytes += magic
    frame.put(version)
    layout.put(into: &frame)
    for evaluation in evaluations { frame.put(Int64(evaluation.epoch)) }
    for column in WireColumn.required {
      for evaluation in evaluations { try frame.put(evaluation[keyPath: column], of: evaluation) }
    }
    for (column, state) in zip(layout.columns, layout.states) where state != 0 {
      let rows = evaluations.map(column.read)
      if state == 2 { frame.putPresence(rows.map { $0 != nil }) }
      let blank = [Double](repeating: 0, count: column.width)
      for (row, evaluation) in zip(rows, evaluations) {
        for number in row ?? blank { try frame.put(number, of: evaluation, isSingle: column.isSingle) }
      }
    }
    if let final = result.finalModel { try put(final, into: &frame) }
    for link in result.digests {
      frame.put(Int64(link.epoch))
      guard let bytes = WireHex.bytes(of: link.digest) else {
        throw .malformed("the digest at epoch \(link.epoch) is not 64 hexadecimal digits")
      }
      frame.bytes += bytes
    }
    return frame.bytes
  }

  private static func put(_ final: FinalMeasures, into frame: inout WireWriter) throws(WireError) {
    for norm in final.normsW_E + final.normsW_L { try frame.put(norm, of: nil) }
    for neuron in final.neurons {
      try frame.put(frequency: neuron.frequency)
      try frame.put(neuron.varianceExplained, of: nil)
    }
    for head in final.heads {
      for weight in head.attention { try frame.put(weight, of: nil) }
      try frame.put(frequency: head.frequency)
      try frame.put(head.varianceExplained, of: nil)
    }
  }

  /// - Parameters:
  ///   - epochs: what the result says it trained: the last epoch that may stand here.
  ///   - keyFrequencies: those of the first frame, which the curve measures one by one.
  init(decoding frame: [UInt8], epochs: Int, keyFrequencies: [Int]) throws(WireError) {
    var reader = WireReader(frame: frame)
    guard frame.count >= WireLayout.headerBytes, reader.bytes(4) == WireCurve.magic else {
      throw .malformed("the second frame of a result is no curve")
    }
    let version: UInt32 = reader.integer()
    guard version == WireCurve.version else {
      throw .malformed("a curve of version \(version); only \(WireCurve.version) is known")
    }
    let layout = try WireLayout(reading: &reader, keyFrequencies: keyFrequencies)
    guard frame.count == layout.byteCount else {
      throw .malformed(
        "a curve of \(layout.evaluations) evaluations and \(layout.digests) digests takes \(layout.byteCount) bytes, "
          + "not \(frame.count)")
    }
    // Nothing was allocated before the bytes were known to be there.
    try readEvaluations(layout, upTo: epochs, &reader)
    try readFinalModel(layout, &reader)
    digests.reserveCapacity(layout.digests)
    var last = -1
    for _ in 0..<layout.digests {
      last = try reader.epoch(after: last, upTo: epochs)
      digests.append(EpochDigest(epoch: last, digest: WireHex.text(of: reader.bytes(32))))
    }
  }

  private mutating func readEvaluations(
    _ layout: WireLayout, upTo epochs: Int, _ reader: inout WireReader
  ) throws(WireError) {
    evaluations.reserveCapacity(layout.evaluations)
    var last = -1
    for _ in 0..<layout.evaluations {
      last = try reader.epoch(after: last, upTo: epochs)
      evaluations.append(
        Evaluation(
          epoch: last, trainLoss: 0, testLoss: 0, trainAccuracy: 0, testAccuracy: 0, giniW_E: 0, giniW_L: 0,
          sumSquaredWeights: 0))
    }
    for column in WireColumn.required {
      for row in evaluations.indices { evaluations[row][keyPath: column] = try reader.number() }
    }
    for (column, state) in zip(layout.columns, layout.states) where state != 0 {
      let presence = state == 2 ? reader.bytes((evaluations.count + 7) / 8) : []
      for row in evaluations.indices {
        let numbers = try reader.numbers(column.width, isSingle: column.isSingle)
        guard state == 1 || presence[row / 8] & (1 << (row % 8)) != 0 else { continue }
        column.write(numbers, &evaluations[row])
      }
    }
    for evaluation in evaluations {
      guard (0...1).contains(evaluation.trainAccuracy), (0...1).contains(evaluation.testAccuracy) else {
        throw .malformed("the evaluation at epoch \(evaluation.epoch) has an accuracy outside 0 to 1")
      }
    }
  }

  private mutating func readFinalModel(_ layout: WireLayout, _ reader: inout WireReader) throws(WireError) {
    if layout.hasFinalNorms {
      finalNormsW_E = try reader.numbers(layout.frequencies)
      finalNormsW_L = try reader.numbers(layout.frequencies)
    }
    neurons.reserveCapacity(layout.neurons)
    for _ in 0..<layout.neurons {
      neurons.append(NeuronFit(frequency: reader.frequency(), varianceExplained: try reader.number()))
    }
    heads.reserveCapacity(layout.heads)
    for _ in 0..<layout.heads {
      heads.append(
        HeadMeasures(
          attention: try reader.numbers(3), frequency: reader.frequency(), varianceExplained: try reader.number()))
    }
  }
}
