// Named experiments to start a sweep file from. Each says where its numbers come from. A preset is a promise: changing
// a value changes the ids of every sweep that builds on it, so a correction gets a new name.

import Grokking

/// An experiment with a name, and what `d_vocab_out` is of its modulus, which a sweep file may change.
package struct Preset: Sendable {
  package let name: String
  /// One sentence for help texts.
  package let summary: String
  package let experiment: Experiment
  /// `d_vocab_out` − modulus: 0 or 1, kept when the modulus changes.
  let vocabularyBeyondModulus: Int

  /// The default.
  package static let paper = Preset(
    name: "paper", summary: "Nanda et al. 2023, section 3, as its released code trains it: the defaults of every key",
    experiment: Experiment(), vocabularyBeyondModulus: 1)

  package static let all: [Preset] = [
    paper,
    // `demos/Grokking_Demo.ipynb` of TransformerLens: p 113, fraction 0.3, AdamW with lr 1e-3, weight decay 1, betas
    // (0.9, 0.98), no warm-up, 25,000 epochs, biases frozen at zero, d_vocab_out p. Its start weights come from
    // TransformerLens' own initializer and its seeds (data 598, model 999) from PyTorch; neither is reproduced here.
    Preset(
      name: "transformerlens", summary: "the Grokking demo of TransformerLens: no biases, no warm-up, p output classes",
      experiment: Experiment(
        model: ModelShape(biases: false, dVocabOut: 113),
        training: TrainingSettings(epochs: 25_000, warmupEpochs: 0)),
      vocabularyBeyondModulus: 0),
    // Zhong, Liu, Tegmark and Andreas 2023, arXiv 2306.17844: `code/train-main.py` of their repository (fjzzq2002/pizza).
    // C 59, frac 0.8, AdamW with lr 1e-3, weight decay 2, betas (0.9, 0.98), 10 epochs of warm-up, 20,000 epochs, width
    // 128, 4 heads, MLP of 4 · 128 with biases, no LayerNorm, as many classes as tokens. It draws layers, ReLU or GELU,
    // attention rate and the sign `=` at random; this is one layer, ReLU, attention rate 1 (a plain softmax) and the
    // sign. Its W_in starts at a standard deviation of 1/√d_mlp, here 1/√d_model; its seeds are PyTorch's.
    Preset(
      name: "clock-and-pizza", summary: "The Clock and the Pizza: modulus 59, fraction 0.8, weight decay 2",
      experiment: Experiment(
        task: LearningTask(modulus: 59, trainFraction: 0.8), model: ModelShape(dVocabOut: 60),
        training: TrainingSettings(epochs: 20_000, weightDecay: 2)),
      vocabularyBeyondModulus: 1),
    // No publication: the paper's setting with a modulus and widths of about half, a point of `configs/quickstart.yaml`.
    // The fraction grows because p² is small, and the weight decay so that grokking comes within some thousand epochs.
    Preset(
      name: "small", summary: "modulus 53, half the paper's width: a point of configs/quickstart.yaml",
      experiment: Experiment(
        task: LearningTask(modulus: 53, trainFraction: 0.5),
        model: ModelShape(dModel: 64, heads: 4, dMLP: 256, dVocabOut: 54),
        training: TrainingSettings(epochs: 6000, weightDecay: 2), measure: MeasureSettings(evaluateEvery: 50)),
      vocabularyBeyondModulus: 1),
  ]
}
