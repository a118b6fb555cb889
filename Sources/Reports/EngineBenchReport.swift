// What `bench engine` measured, as JSON and as a page. Knows no clock: whoever measures fills it in.

import Grokking

/// One machine's speed. Times are medians over rounds in milliseconds of one core, unless they say otherwise; work is
/// the plan's arithmetic (`Experiment.estimatedMultiplyAdds`), two operations per multiply-add.
package struct EngineBenchReport: Encodable, Sendable {
  package var build: String
  package var cpu: String
  package var cores: Int
  package var kernelPath: String
  /// Of the last minute before the first measurement; nil where the system does not say.
  package var loadAverageBefore: Double?
  /// From 0 to 1: of its core's time, what the training of `shapes` got. Less than 1 when other processes disturbed it.
  package var shareOfCore: Double
  package var rounds: Int
  package var secondsPerTurn: Double
  package var fmaPeak: FMAPeak
  /// The paper's first.
  package var shapes: [Shape]
  /// Milliseconds per epoch of the paper's shape.
  package var phases: [TrainingPhase: Double]
  package var evaluation: Evaluation
  /// Nil where this process has only one core, or cannot choose.
  package var twoAtOnce: TwoAtOnce?
  /// Of a process that trains and analyses the paper's shape; nil where the system does not say.
  package var peakResidentBytes: Int?

  package init(
    build: String, cpu: String, cores: Int, kernelPath: String, loadAverageBefore: Double?,
    shareOfCore: Double, rounds: Int, secondsPerTurn: Double, fmaPeak: FMAPeak, shapes: [Shape],
    phases: [TrainingPhase: Double], evaluation: Evaluation, twoAtOnce: TwoAtOnce?, peakResidentBytes: Int?
  ) {
    precondition(!shapes.isEmpty, "a benchmark without shapes")
    self.build = build
    self.cpu = cpu
    self.cores = cores
    self.kernelPath = kernelPath
    self.loadAverageBefore = loadAverageBefore
    self.shareOfCore = shareOfCore
    self.rounds = rounds
    self.secondsPerTurn = secondsPerTurn
    self.fmaPeak = fmaPeak
    self.shapes = shapes
    self.phases = phases
    self.evaluation = evaluation
    self.twoAtOnce = twoAtOnce
    self.peakResidentBytes = peakResidentBytes
  }

  /// How fast one core does nothing but fused multiply-adds on registers: the best round, so that whatever disturbs the
  /// machine can only make the engine look worse.
  package struct FMAPeak: Sendable {
    package var gflopPerSecond: Double
    package var median: Double

    package init(gflopPerSecond: Double, median: Double) {
      self.gflopPerSecond = gflopPerSecond
      self.median = median
    }
  }

  /// One shape's training step.
  package struct Shape: Encodable, Sendable {
    package var name: String
    package var experiment: Experiment
    package var ms: Double
    /// Of the best round.
    package var least: Double
    package var peak: FMAPeak

    package init(name: String, experiment: Experiment, ms: Double, least: Double, peak: FMAPeak) {
      self.name = name
      self.experiment = experiment
      self.ms = ms
      self.least = least
      self.peak = peak
    }

    /// How the step is computed.
    package var plan: StepPlan { experiment.stepPlan(pairs: experiment.trainPairCount) }
    package var gflopPerEpoch: Double { 2 * experiment.estimatedMultiplyAdds / 1e9 }
    package var gflopPerSecond: Double { gflopPerEpoch / (ms / 1000) }
    /// From 0 to 1.
    package var shareOfPeak: Double { gflopPerSecond / peak.gflopPerSecond }
    /// What the arithmetic alone would take at the peak.
    package var msAtPeak: Double { 1000 * gflopPerEpoch / peak.gflopPerSecond }
  }

  /// What an evaluation of the paper's shape takes.
  package struct Evaluation: Encodable, Sendable {
    /// Epochs between evaluations for which the share of a run is told.
    package static let every = 100

    /// Loss and accuracy on the test pairs.
    package var testMs: Double
    /// Logits of all pairs, for the measures.
    package var logitsMs: Double
    package var measuresMs: Double
    /// Of an epoch.
    package var msPerEpoch: Double

    package init(testMs: Double, logitsMs: Double, measuresMs: Double, msPerEpoch: Double) {
      self.testMs = testMs
      self.logitsMs = logitsMs
      self.measuresMs = measuresMs
      self.msPerEpoch = msPerEpoch
    }

    package var ms: Double { testMs + logitsMs + measuresMs }
    /// From 0 to 1.
    package var shareOfRun: Double { ms / (ms + Double(Evaluation.every) * msPerEpoch) }
  }

  /// Two copies of the paper's shape, each on a core of its own.
  package struct TwoAtOnce: Encodable, Sendable {
    package var msPerEpoch: Double
    /// To one copy alone in the same round.
    package var ratio: Double

    package init(msPerEpoch: Double, ratio: Double) {
      self.msPerEpoch = msPerEpoch
      self.ratio = ratio
    }

    private enum CodingKeys: String, CodingKey {
      case msPerEpoch = "ms_per_epoch"
      case ratio
    }
  }
}

// Keys are a promise to scripts. What could not be measured is null, so that every key is always there.

extension EngineBenchReport {
  private enum CodingKeys: String, CodingKey {
    case build, cpu, cores, rounds, shapes, phases, evaluation
    case engineSemantics = "engine_semantics"
    case kernelPath = "kernel_path"
    case loadAverageBefore = "load_average_before"
    case percentOfCore = "percent_of_core"
    case secondsPerTurn = "seconds_per_turn"
    case fmaPeak = "fma_peak_gflop_per_second"
    case fmaPeakMedian = "fma_peak_gflop_per_second_median"
    case msPerEpoch = "ms_per_epoch"
    case msPerEpochMin = "ms_per_epoch_min"
    case msAtPeak = "ms_at_fma_peak"
    case timesPeak = "times_fma_peak"
    case twoAtOnce = "two_at_once"
    case peakResidentBytes = "peak_resident_bytes"
  }

  package func encode(to encoder: any Encoder) throws {
    let paper = shapes[0]
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(build, forKey: .build)
    try values.encode(Engine.semanticsVersion, forKey: .engineSemantics)
    try values.encode(cpu, forKey: .cpu)
    try values.encode(cores, forKey: .cores)
    try values.encode(kernelPath, forKey: .kernelPath)
    try values.encode(loadAverageBefore, forKey: .loadAverageBefore)
    try values.encode(100 * shareOfCore, forKey: .percentOfCore)
    try values.encode(rounds, forKey: .rounds)
    try values.encode(secondsPerTurn, forKey: .secondsPerTurn)
    try values.encode(fmaPeak.gflopPerSecond, forKey: .fmaPeak)
    try values.encode(fmaPeak.median, forKey: .fmaPeakMedian)
    try values.encode(paper.ms, forKey: .msPerEpoch)
    try values.encode(paper.least, forKey: .msPerEpochMin)
    try values.encode(paper.msAtPeak, forKey: .msAtPeak)
    try values.encode(paper.ms / paper.msAtPeak, forKey: .timesPeak)
    try values.encode(shapes, forKey: .shapes)
    let named = phases.map { ("\($0.key.rawValue)_ms", $0.value) }
    try values.encode(Dictionary(uniqueKeysWithValues: named), forKey: .phases)
    try values.encode(evaluation, forKey: .evaluation)
    try values.encode(twoAtOnce, forKey: .twoAtOnce)
    try values.encode(peakResidentBytes, forKey: .peakResidentBytes)
  }
}

extension EngineBenchReport.Shape {
  private enum CodingKeys: String, CodingKey {
    case name, activation, biases, modulus, heads
    case trainFraction = "train_fraction"
    case trainPairs = "train_pairs"
    case dModel = "d_model"
    case dMLP = "d_mlp"
    case dVocabOut = "d_vocab_out"
    case msPerEpoch = "ms_per_epoch"
    case msPerEpochMin = "ms_per_epoch_min"
    case gflopPerEpoch = "gflop_per_epoch"
    case gflopPerSecond = "gflop_per_second"
    case percentOfPeak = "percent_of_peak"
    case plan
  }

  package func encode(to encoder: any Encoder) throws {
    let (task, model) = (experiment.task, experiment.model)
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(name, forKey: .name)
    try values.encode(task.modulus, forKey: .modulus)
    try values.encode(task.trainFraction, forKey: .trainFraction)
    try values.encode(experiment.trainPairCount, forKey: .trainPairs)
    try values.encode(model.dModel, forKey: .dModel)
    try values.encode(model.heads, forKey: .heads)
    try values.encode(model.dMLP, forKey: .dMLP)
    try values.encode(model.dVocabOut, forKey: .dVocabOut)
    try values.encode(model.activation, forKey: .activation)
    try values.encode(model.biases, forKey: .biases)
    try values.encode(ms, forKey: .msPerEpoch)
    try values.encode(least, forKey: .msPerEpochMin)
    try values.encode(gflopPerEpoch, forKey: .gflopPerEpoch)
    try values.encode(gflopPerSecond, forKey: .gflopPerSecond)
    try values.encode(100 * shareOfPeak, forKey: .percentOfPeak)
    try values.encode(plan.description, forKey: .plan)
  }
}

extension EngineBenchReport.Evaluation {
  private enum CodingKeys: String, CodingKey {
    case ms
    case testMs = "test_ms"
    case logitsMs = "logits_ms"
    case measuresMs = "measures_ms"
    case evaluateEvery = "evaluate_every"
    case percentOfRun = "percent_of_run"
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(ms, forKey: .ms)
    try values.encode(testMs, forKey: .testMs)
    try values.encode(logitsMs, forKey: .logitsMs)
    try values.encode(measuresMs, forKey: .measuresMs)
    try values.encode(Self.every, forKey: .evaluateEvery)
    try values.encode(100 * shareOfRun, forKey: .percentOfRun)
  }
}
