// What is measured of a final model alone: its spectra, neurons, heads, the rank of W_L and the ablations
// (`docs/reference/measures.md`; Nanda et al. 2023, sections 4.2 to 4.4). Values only; `ModelAnalysis` computes them.
//
// What an operation does not have is absent: an optional is nil and a list empty, never zero.

/// Everything measured once per run, of the model that it ended with.
package struct FinalMeasures: Codable, Hashable, Sendable {
  /// Norms of frequencies 1…K in W_E and in W_L = W_out·W_U, K = ⌊(n−1)/2⌋ around the operation's `Circle`.
  package var normsW_E: [Double]
  package var normsW_L: [Double]
  /// The other two rules' key frequencies, ascending: a quarter of W_E's largest norm, and those that some neuron
  /// computes with (best frequency of a neuron over 85 %).
  package var keyFrequenciesW_E: [Int]
  package var keyFrequenciesNeurons: [Int]
  /// One per neuron, in order.
  package var neurons: [NeuronFit]
  /// One per head, in order.
  package var heads: [HeadMeasures]
  /// Share of ‖W_L‖ that the key frequencies' cosine and sine directions leave out; nil where there are no waves, and
  /// for W_L = 0.
  package var rankResidual: Double?
  /// Losses of altered models beside the original's, in a fixed order; empty where there are no waves.
  package var ablations: [Ablation]

  package init(
    normsW_E: [Double], normsW_L: [Double], keyFrequenciesW_E: [Int] = [], keyFrequenciesNeurons: [Int] = [],
    neurons: [NeuronFit] = [], heads: [HeadMeasures] = [], rankResidual: Double? = nil, ablations: [Ablation] = []
  ) {
    self.normsW_E = normsW_E
    self.normsW_L = normsW_L
    self.keyFrequenciesW_E = keyFrequenciesW_E
    self.keyFrequenciesNeurons = keyFrequenciesNeurons
    self.neurons = neurons
    self.heads = heads
    self.rankResidual = rankResidual
    self.ablations = ablations
  }

  /// Neurons of whose variance one frequency explains more than 85 %.
  package var neuronsOver85: Int { neurons.count { $0.varianceExplained > 0.85 } }

  enum CodingKeys: String, CodingKey {
    case normsW_E = "norms_w_e"
    case normsW_L = "norms_w_l"
    case keyFrequenciesW_E = "key_frequencies_w_e"
    case keyFrequenciesNeurons = "key_frequencies_neurons"
    case neurons, heads
    case rankResidual = "rank_residual"
    case ablations
  }
}

/// One attention head over the p × p grid.
package struct HeadMeasures: Codable, Hashable, Sendable {
  /// Mean attention from `=` to a, b and `=`, over all pairs.
  package var attention: [Double]
  /// The frequency that explains most of the variance of the attention to a, and that share; as for neurons.
  package var frequency: Int
  package var varianceExplained: Double

  package init(attention: [Double], frequency: Int, varianceExplained: Double) {
    self.attention = attention
    self.frequency = frequency
    self.varianceExplained = varianceExplained
  }

  enum CodingKeys: String, CodingKey {
    case attention, frequency
    case varianceExplained = "fve"
  }
}

/// The loss of a model with one part replaced or removed (Nanda et al. 2023, section 4.4).
package struct Ablation: Codable, Hashable, Sendable {
  /// In the order in which they are reported.
  package enum Name: String, Codable, Hashable, Sendable, CaseIterable {
    /// The model as it is: what the others are held against.
    case original
    /// Every neuron replaced by its best polynomial of degree 2 in one frequency.
    case neuronPolynomials = "neuron_polynomials"
    /// Of the neurons only the key frequencies' cos and sin of a+b are kept, and the means.
    case neuronWaves = "neuron_waves"
    /// Of the logits only the key frequencies' 3 × 3 blocks are kept.
    case logitBlocks = "logit_blocks"
    /// One key frequency's waves of the logits are removed.
    case withoutFrequency = "without_frequency"
    /// Everything but the key frequencies' waves and the mean is removed from the logits.
    case onlyKeyFrequencies = "only_key_frequencies"
    /// Neurons projected on the key directions u_k, v_k of W_L, and on their complement.
    case keyDirections = "key_directions"
    case keyDirectionsComplement = "key_directions_complement"
    /// The residual stream around the MLP does not reach the logits.
    case noSkip = "no_skip"
  }

  package var name: Name
  /// For `withoutFrequency` alone.
  package var frequency: Int?
  /// Mean cross-entropy in nats over all pairs, classes 0…p−1; for `multiply` without factors and class 0.
  package var loss: Double

  package init(_ name: Name, frequency: Int? = nil, loss: Double) {
    self.name = name
    self.frequency = frequency
    self.loss = loss
  }
}
