// The figures of one run: the one list of them, from which the report, `groksweep plot` and the dashboard take names, order
// and drawings. What a run does not have is a figure with a sentence, never an empty picture.

import Figures
import Grokking

/// Raw values are promises to users.
package enum RunFigure: String, CaseIterable, Sendable {
  case losses
  case accuracies
  case progress
  case ginis
  case weights
  case excludedByFrequency = "excluded-by-frequency"
  case cosineCoefficients = "cosine-coefficients"
  case embeddingSpectrum = "embedding-spectrum"
  case unembeddingSpectrum = "unembedding-spectrum"
  case spectrumGrowth = "spectrum-growth"
  case embeddingCircles = "embedding-circles"
  case attention
  case neurons
  case neuronSpectra = "neuron-spectra"
  case neuronClusters = "neuron-clusters"
  case logitSpectrum = "logit-spectrum"
  case ablations

  package var title: String {
    switch self {
    case .losses: "Losses"
    case .accuracies: "Accuracies"
    case .progress: "Restricted and excluded loss"
    case .ginis: "Gini coefficients of the spectra"
    case .weights: "Sum of squared weights"
    case .excludedByFrequency: "Excluded loss of each key frequency"
    case .cosineCoefficients: "Cosine coefficients of the logits"
    case .embeddingSpectrum: "W_E in the Fourier basis"
    case .unembeddingSpectrum: "W_L in the Fourier basis"
    case .spectrumGrowth: "Growth of the frequencies in W_E"
    case .embeddingCircles: "Tokens on the circles of the key frequencies"
    case .attention: "Attention from = to a"
    case .neurons: "Neurons over all pairs"
    case .neuronSpectra: "Spectra of these neurons"
    case .neuronClusters: "Neurons by frequency"
    case .logitSpectrum: "Logits in the two-dimensional Fourier basis"
    case .ablations: "Ablations"
    }
  }

  /// Whether it is drawn from the final weights.
  package var needsWeights: Bool {
    switch self {
    case .embeddingCircles, .attention, .neurons, .neuronSpectra, .logitSpectrum: true
    default: false
    }
  }

  /// Whether it is drawn from evaluations against epochs.
  private var isOverEpochs: Bool {
    switch self {
    case .losses, .accuracies, .progress, .ginis, .weights, .excludedByFrequency, .cosineCoefficients, .spectrumGrowth:
      true
    case .embeddingSpectrum, .unembeddingSpectrum, .embeddingCircles, .attention, .neurons, .neuronSpectra,
      .neuronClusters, .logitSpectrum, .ablations:
      false
    }
  }

  package func figure(of run: RunSubject) -> Figure {
    if let reason = absence(of: run) { return Figure(name: rawValue, title: title, absence: reason) }
    let drawn: Drawn =
      switch self {
      case .losses: run.losses
      case .accuracies: run.accuracies
      case .progress: run.progress
      case .ginis: run.ginis
      case .weights: run.sumsOfSquares
      case .excludedByFrequency: run.excludedByFrequency
      case .cosineCoefficients: run.cosineCoefficients
      case .embeddingSpectrum: run.spectrum(of: "W_E", run.result.finalModel?.normsW_E ?? [])
      case .unembeddingSpectrum: run.spectrum(of: "W_L", run.result.finalModel?.normsW_L ?? [])
      case .spectrumGrowth: run.spectrumGrowth
      case .embeddingCircles: run.embeddingCircles
      case .attention: run.attention
      case .neurons: run.neurons
      case .neuronSpectra: run.neuronSpectra
      case .neuronClusters: run.neuronClusters
      case .logitSpectrum: run.logitSpectrum
      case .ablations: run.ablations
      }
    return Figure(
      name: rawValue, title: title, caption: drawn.caption, panels: drawn.panels, columns: drawn.columns,
      sharing: drawn.sharing, shape: drawn.shape, table: drawn.table)
  }

  /// Why this run has no such figure; nil when it has.
  private func absence(of run: RunSubject) -> String? {
    if run.evaluations.isEmpty { return "The run diverged before its first evaluation: there is nothing to draw." }
    if isOverEpochs, run.evaluations.count == 1 {
      return run.result.outcome.name == "diverged"
        ? "The run diverged after its first evaluation: there is no curve to draw."
        : "The run has a single evaluation: there is no curve to draw."
    }
    switch self {
    case .losses, .accuracies, .ginis, .weights: return nil
    case .progress, .excludedByFrequency, .cosineCoefficients:
      return run.wavesAbsence ?? run.modelAbsence
    case .ablations: return run.modelAbsence ?? run.wavesAbsence
    case .spectrumGrowth:
      return run.evaluations.contains { !$0.normsW_E.isEmpty }
        ? nil : "The spectra of this run's evaluations were not stored: an old groksweep stored the run."
    case .embeddingSpectrum, .unembeddingSpectrum, .neuronClusters: return run.modelAbsence
    case .embeddingCircles, .attention, .neurons, .neuronSpectra, .logitSpectrum:
      if let reason = run.modelAbsence { return reason }
      if case .absent(let reason) = run.weights { return reason }
      return self == .embeddingCircles && run.result.keyFrequencies.isEmpty
        ? "The model has no key frequencies: its W_L is zero." : nil
    }
  }
}

/// A figure without its name.
struct Drawn {
  var caption: String
  var panels: [Panel]
  var columns = 1
  var sharing: Figure.Sharing = [.x, .y, .colours]
  var shape = Figure.Shape.height(260)
  var table: DataTable
}
