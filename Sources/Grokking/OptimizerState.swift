// What an optimizer remembers from step to step, and its step.

import Kernels

/// An optimizer's numbers, as many in each as the model has weights.
package struct OptimizerNumbers: Hashable, Sendable {
  /// Adam's first moment, or SGD's velocity.
  package var firstMoment: [Float]
  /// Adam's second moment; zero for SGD, which has none.
  package var secondMoment: [Float]
  /// Grokfast's average of gradients; empty where gradients are not filtered.
  package var slowGradient: [Float]

  package init(firstMoment: [Float], secondMoment: [Float], slowGradient: [Float] = []) {
    self.firstMoment = firstMoment
    self.secondMoment = secondMoment
    self.slowGradient = slowGradient
  }
}

/// The optimizer of one trainer. Not for use from two threads at once.
final class OptimizerState {
  private let settings: TrainingSettings
  private let count: Int
  private let stepsPerEpoch: Int
  private let kernels: Kernels
  private let firstMoment: FloatBuffer
  private let secondMoment: FloatBuffer
  /// Nil where gradients are not filtered.
  private let slowGradient: FloatBuffer?
  private var schedule: StepSchedule

  init(_ settings: TrainingSettings, count: Int, stepsPerEpoch: Int, kernels: Kernels) {
    self.settings = settings
    self.count = count
    self.stepsPerEpoch = stepsPerEpoch
    self.kernels = kernels
    firstMoment = FloatBuffer(count)
    secondMoment = FloatBuffer(count)
    slowGradient = settings.filtersGradients ? FloatBuffer(count) : nil
    schedule = StepSchedule(settings, stepsPerEpoch: stepsPerEpoch)
  }

  /// Moves the weights along their gradients, which it may change on the way.
  func step(weights: FloatBuffer, gradients: FloatBuffer) {
    let isFirst = schedule.steps == 0
    schedule.advance()
    prepare(gradients, weights: weights, isFirst: isFirst)
    switch settings.optimizer {
    case .adamw, .adam:
      kernels.adamW(
        AdamWStep(
          learningRate: schedule.learningRate,
          weightDecay: settings.optimizer == .adamw ? settings.weightDecay : 0, beta1: settings.beta1,
          beta2: settings.beta2, beta1Power: schedule.beta1Power, beta2Power: schedule.beta2Power,
          epsilon: settings.epsilon),
        count: count, gradients: gradients, weights: weights, firstMoment: firstMoment, secondMoment: secondMoment)
    case .sgd:
      kernels.sgd(
        SGDStep(learningRate: schedule.learningRate, momentum: settings.momentum), count: count, gradients: gradients,
        weights: weights, velocity: firstMoment)
    }
  }

  /// L1, then Grokfast's filter, then L2, each only where it is asked for: plain AdamW takes no pass over its gradients.
  private func prepare(_ gradients: FloatBuffer, weights: FloatBuffer, isFirst: Bool) {
    let decay = settings.optimizer == .adamw ? 0 : settings.weightDecay
    guard settings.l1 != 0 || settings.filtersGradients || decay != 0 else { return }
    kernels.prepare(
      GradientStep(
        l1: settings.l1, alpha: isFirst ? 0 : settings.grokfastAlpha, lambda: settings.grokfastLambda, decay: decay),
      count: count, weights: weights, gradients: gradients, slow: slowGradient)
  }

  var state: OptimizerNumbers {
    OptimizerNumbers(
      firstMoment: firstMoment.array, secondMoment: secondMoment.array, slowGradient: slowGradient?.array ?? [])
  }

  /// As after `epochs` epochs.
  func restore(_ numbers: OptimizerNumbers, epochs: Int) {
    firstMoment.assign(numbers.firstMoment)
    secondMoment.assign(numbers.secondMoment)
    slowGradient?.assign(numbers.slowGradient)
    // The same multiplications in the same order as the steps that led here.
    schedule = StepSchedule(settings, stepsPerEpoch: stepsPerEpoch)
    for _ in 0..<epochs * stepsPerEpoch { schedule.advance() }
  }
}
