// The Swift face of the optimizers: constants are computed in float64 and rounded once, then every weight takes its step
// by itself.

import CKernels

extension Kernels {
  /// One AdamW step on `count` scalars: weight decay first, then the moments' step.
  package func adamW(
    _ step: AdamWStep, count: Int, gradients: FloatBuffer, weights: FloatBuffer, firstMoment: FloatBuffer,
    secondMoment: FloatBuffer
  ) {
    for buffer in [gradients, weights, firstMoment, secondMoment] {
      precondition(buffer.count >= count, "an AdamW step on \(count) scalars of a buffer of \(buffer.count)")
    }
    let constants = ck_adamw(
      keep: step.keep, beta1: step.beta1, one_minus_beta1: step.oneMinusBeta1, beta2: step.beta2,
      one_minus_beta2: step.oneMinusBeta2, step_size: step.stepSize, variance_scale: step.varianceScale,
      epsilon: step.epsilon)
    c.adamw(count, constants, gradients.base, weights.base, firstMoment.base, secondMoment.base)
  }

  /// What becomes of `count` gradients before an optimizer's step, in place.
  ///
  /// - Parameter slow: Grokfast's average, which moves on; nil when nothing is filtered.
  package func prepare(
    _ step: GradientStep, count: Int, weights: FloatBuffer, gradients: FloatBuffer, slow: FloatBuffer?
  ) {
    for buffer in [weights, gradients] + (slow.map { [$0] } ?? []) {
      precondition(buffer.count >= count, "\(count) gradients of a buffer of \(buffer.count)")
    }
    let constants = ck_gradient_step(
      l1: step.l1, alpha: step.alpha, one_minus_alpha: step.oneMinusAlpha, lambda: step.lambda, decay: step.decay)
    c.prepare_gradients(count, constants, weights.base, gradients.base, slow?.base)
  }

  /// One step of SGD on `count` scalars: v ← momentum·v + g, w ← w − rate·v.
  package func sgd(
    _ step: SGDStep, count: Int, gradients: FloatBuffer, weights: FloatBuffer, velocity: FloatBuffer
  ) {
    for buffer in [gradients, weights, velocity] {
      precondition(buffer.count >= count, "an SGD step on \(count) scalars of a buffer of \(buffer.count)")
    }
    c.sgd(count, step.momentum, step.learningRate, gradients.base, weights.base, velocity.base)
  }
}

/// Constants of one AdamW step, rounded once from float64.
package struct AdamWStep: Hashable, Sendable {
  let keep: Float
  let beta1: Float
  let oneMinusBeta1: Float
  let beta2: Float
  let oneMinusBeta2: Float
  let stepSize: Float
  let varianceScale: Float
  let epsilon: Float

  /// - Parameters:
  ///   - beta1Power: beta1 to the power of this step's number, counted from 1.
  ///   - beta2Power: likewise of beta2.
  package init(
    learningRate: Double, weightDecay: Double, beta1: Double, beta2: Double, beta1Power: Double, beta2Power: Double,
    epsilon: Double
  ) {
    keep = Float(1 - learningRate * weightDecay)
    self.beta1 = Float(beta1)
    oneMinusBeta1 = Float(1 - beta1)
    self.beta2 = Float(beta2)
    oneMinusBeta2 = Float(1 - beta2)
    stepSize = Float(learningRate / (1 - beta1Power))
    varianceScale = Float(1 / (1 - beta2Power).squareRoot())
    self.epsilon = Float(epsilon)
  }
}

/// Constants of what becomes of a gradient, rounded once from float64.
package struct GradientStep: Hashable, Sendable {
  let l1: Float
  let alpha: Float
  let oneMinusAlpha: Float
  let lambda: Float
  let decay: Float

  /// - Parameters:
  ///   - alpha: decay of the average; 0 lets it start at the present gradient.
  ///   - decay: factor of the weight itself, for optimizers whose weight decay is part of the gradient.
  package init(l1: Double, alpha: Double, lambda: Double, decay: Double) {
    self.l1 = Float(l1)
    self.alpha = Float(alpha)
    oneMinusAlpha = Float(1 - alpha)
    self.lambda = Float(lambda)
    self.decay = Float(decay)
  }
}

/// Constants of one SGD step, rounded once from float64.
package struct SGDStep: Hashable, Sendable {
  let momentum: Float
  let learningRate: Float

  package init(learningRate: Double, momentum: Double) {
    self.momentum = Float(momentum)
    self.learningRate = Float(learningRate)
  }
}
