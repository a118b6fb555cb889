// Logits of every pair, for analysis: the same tables and kernels as training, so the same bits on every machine.

import Kernels

/// Logits of all p² pairs at `=`: p² × d_vocab_out, row a·p+b.
package func allLogits(weights: Parameters<Float>, activation: Activation, kernels path: KernelPath) -> [Float] {
  let kernels = Kernels(path)
  let layout = weights.layout
  let pairs = layout.modulus * layout.modulus
  var activated = layout.model
  activated.activation = activation
  let plan = StepPlan.cheapest(modulus: layout.modulus, model: activated, pairs: pairs)
  let model = FoldedModel(layout, plan: plan, kernels: kernels)
  let shape = model.shape
  let blockSize = 128
  let pass = BlockPass(shape, activation: activation, capacity: blockSize, kernels: kernels)
  let first = (0..<pairs).map { Int32($0 / layout.modulus) }
  let second = (0..<pairs).map { Int32($0 % layout.modulus) }
  let buffer = FloatBuffer(weights.storage)
  return Kernels.flushingTinyToZero {
    model.fold(buffer)
    return [Float](unsafeUninitializedCapacity: pairs * shape.classes) { logits, count in
      for start in stride(from: 0, to: pairs, by: blockSize) {
        let range = start..<min(start + blockSize, pairs)
        first.withUnsafeBufferPointer { first in
          second.withUnsafeBufferPointer { second in
            let tokens = TokenPairs(
              first: UnsafeBufferPointer(rebasing: first[range]), second: UnsafeBufferPointer(rebasing: second[range]))
            pass.forward(tokens, model)
          }
        }
        // Views do not keep their memory alive.
        withExtendedLifetime(pass) {
          let rows = pass.logits(range.count)
          for row in 0..<range.count {
            (logits.baseAddress! + (start + row) * shape.classes).initialize(
              from: rows.base + row * rows.rowStride, count: shape.classes)
          }
        }
      }
      count = pairs * shape.classes
    }
  }
}
