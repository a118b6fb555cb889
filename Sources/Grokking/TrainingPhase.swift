// The parts of one training step, for whoever wants to know where its time goes. Only names; whoever observes a step
// brings the clock.

/// A kind of work within `Trainer.step`, in the order in which an epoch comes to them. Gather to scatter come once per
/// block of examples.
package enum TrainingPhase: String, CaseIterable, Hashable, Sendable {
  /// Folding the weights into tables, and making room for the tables' gradients.
  case tables
  /// Attention weights and the mix of table rows, and the activation where rows hold pre-activations.
  case gather
  /// The products over examples: ReLU·M, then dLogits·Mᵀ and ReLUᵀ·dLogits; likewise of W_out and W_U where not merged,
  /// and of W_in, the activation included, where rows stop before it.
  case products
  /// Cross-entropy and the gradients of the logits.
  case loss
  /// Rows, attention weights and scores back into gradients of the tables.
  case scatter
  /// From the tables' gradients to every tensor's.
  case parameterGradients = "parameter_gradients"
  /// The optimizer's step.
  case adamW = "adamw"
}

/// Called whenever a stretch of work has ended, with what it was; all time since the call before belongs to it.
package typealias PhaseObserver = (TrainingPhase) -> Void
