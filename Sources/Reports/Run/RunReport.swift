// The page of one run: what it was, what became of it, and its figures.

import Figures
import Grokking
import Results
import Sweeps

package struct RunReport: Sendable {
  private let run: RunSubject
  private let story: PointStory
  private let assets: HTMLPage.Assets
  /// How the data of a figure are to be had that are too long for the page.
  private let store: String
  private let above: String

  /// - Parameters:
  ///   - story: of the same point, as the store tells it.
  ///   - store: the store's path, for commands that the page names.
  ///   - above: markup before the title.
  package init(
    _ run: RunSubject, story: PointStory, store: String, assets: HTMLPage.Assets = .inside, above: String = ""
  ) {
    self.run = run
    self.story = story
    self.store = store
    self.assets = assets
    self.above = above
  }

  package var html: String {
    var sections = [HTMLPage.Section("run", "The run", [HTMLPage.facts(facts)])]
    for section in RunFigure.Section.allCases {
      let figures = RunFigure.allCases.filter { $0.section == section }
      sections.append(HTMLPage.Section(section.rawValue, section.heading, figures.map { block($0.figure(of: run)) }))
    }
    return HTMLPage(title: title, above: above, lead: lead, sections: sections, footer: footer).html(assets)
  }

  /// - Parameter figure: drawn already.
  private func block(_ figure: Figure) -> String {
    let command = ShellWords.line(
      ["groksweep", "plot", figure.name, "--store", store, "--point", run.point.short, "-o", "\(figure.name).csv"])
    return FigureBlock(figure, data: .inside(otherwise: command)).html
  }

  private var title: String { "Run \(run.point.short)" }

  private var lead: String {
    let (training, seeds) = (run.experiment.training, (run.experiment.modelSeed, run.experiment.dataSeed))
    let settings = story.sweeps.map { $0.setting.isEmpty ? $0.sweep : "\($0.sweep) (\($0.setting))" }
    let task = run.experiment.task
    let sentence =
      "The task is \(task.operation.rawValue) modulo \(task.modulus), with \(NumberText.value(task.trainFraction * 100)) % of the "
      + "pairs trained on; weight decay \(Wording.plain(training.weightDecay)), seeds \(seeds.0) (model) and \(seeds.1) (data). "
      + run.outcomeSentence
    let sweeps = "A run of the sweep \(settings.joined(separator: ", and of "))."
    return HTMLPage.paragraph(sentence) + (settings.isEmpty ? "" : HTMLPage.paragraph(sweeps))
  }

  private var facts: [(name: String, value: String)] {
    let (experiment, result, last) = (run.experiment, run.result, run.evaluations.last)
    var facts: [(name: String, value: String)] = [
      ("outcome", result.outcome.name),
      ("memorization epoch", Wording.epoch(result.outcome.memorizationEpoch)),
      ("grokking epoch", Wording.epoch(result.outcome.grokkingEpoch)),
    ]
    if let censored = result.outcome.censoredAfter { facts.append(("censored after", Wording.grouped(censored))) }
    facts += [
      ("epochs", Wording.grouped(result.epochs)),
      ("train loss", Wording.loss(last?.trainLoss)), ("test loss", Wording.loss(last?.testLoss)),
      ("train accuracy", Wording.share(last?.trainAccuracy)), ("test accuracy", Wording.share(last?.testAccuracy)),
      ("restricted loss", Wording.loss(last?.restrictedLoss)), ("excluded loss", Wording.loss(last?.excludedLoss)),
      ("key frequencies", result.keyFrequencies.isEmpty ? "–" : run.keysInWords),
      ("logits explained by cosines", Wording.share(last?.logitVarianceExplained)),
      ("Σ w²", NumberText.value(last?.sumSquaredWeights)),
      ("d_model", "\(experiment.model.dModel)"), ("heads", "\(experiment.model.heads)"),
      ("d_mlp", "\(experiment.model.dMLP)"), ("activation", experiment.model.activation.rawValue),
      ("learning rate", NumberText.value(experiment.training.learningRate)),
      ("weight decay", NumberText.value(experiment.training.weightDecay)),
    ]
    if let stored = story.result {
      facts += [
        ("time", Wording.duration(seconds: stored.seconds)), ("host", stored.host),
        ("stored", "\(stored.stored.prefix(16).replacing("T", with: " "))Z"),
      ]
    }
    return facts + [("kernels", result.kernelPath)]
  }

  private var footer: String {
    "Point \(run.point.hex). Digest \(run.result.digest). Engine semantics \(run.result.semanticsVersion), measures "
      + "\(run.result.measureVersion). Paper: Nanda, Chan, Lieberum, Smith, Steinhardt, Progress measures for grokking via "
      + "mechanistic interpretability, ICLR 2023."
  }
}

extension RunFigure {
  /// The parts of a run's page.
  package enum Section: String, CaseIterable, Sendable {
    case training, measures, frequencies, model

    package var heading: String {
      switch self {
      case .training: "Training"
      case .measures: "Progress measures"
      case .frequencies: "Frequencies"
      case .model: "The final model"
      }
    }
  }

  package var section: Section {
    switch self {
    case .losses, .accuracies: .training
    case .progress, .ginis, .weights, .excludedByFrequency, .cosineCoefficients: .measures
    case .embeddingSpectrum, .unembeddingSpectrum, .spectrumGrowth, .neuronClusters, .ablations: .frequencies
    case .embeddingCircles, .attention, .neurons, .neuronSpectra, .logitSpectrum: .model
    }
  }
}
