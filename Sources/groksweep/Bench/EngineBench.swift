// `bench engine`: how fast this machine trains, and what share of what it could do that is.
//
// Everything is measured in rounds, each of which gives every measurement one turn, on one core, after a warm-up. The
// peak that times are compared with is measured in the same rounds.

import Cluster
import Foundation
import Grokking
import Kernels
import Reports
import Sweeps

struct EngineBench {
  private static let rounds = 7

  private let kernels: KernelPath
  private let stopwatch: Stopwatch
  private let shapes: [BenchShape]
  private let progress: (String) -> Void

  /// - Parameters:
  ///   - seconds: roughly, for everything; the largest shapes take what they need.
  ///   - shapes: the paper's is measured in any case.
  ///   - progress: told what comes next.
  init(kernels: KernelPath, seconds: Double, shapes: [BenchShape], progress: @escaping (String) -> Void) {
    self.kernels = kernels
    self.shapes = [.paper] + BenchShape.allCases.filter { $0 != .paper && shapes.contains($0) }
    self.progress = progress
    // Of every round: the peak, the shapes, the phases, three parts of an evaluation, one copy and two.
    let turns = 1 + self.shapes.count + 1 + 3 + 2
    stopwatch = Stopwatch(turn: .seconds(seconds / Double(EngineBench.rounds * turns)))
  }

  func run() throws -> EngineBenchReport {
    let load = EngineBench.loadAverage
    let cores = Cores.separate
    if let core = cores.first { Cores.stay(on: core) }
    let pair = cores.count > 1 ? Array(cores.prefix(2)) : nil

    progress("warming up")
    let peak = PeakArithmetic(kernels)
    let trainers = shapes.map { shape in
      let trainer = Trainer(shape.experiment, start: Start(shape.experiment), kernels: kernels)
      for _ in 0..<2 { _ = trainer.step() }
      return trainer
    }
    let evaluated = EvaluationWork(BenchShape.paper.experiment, kernels: kernels)
    evaluated.all()

    var gflopPerSecond = Rounds()
    var seconds = shapes.map { _ in Rounds() }
    var phases: [TrainingPhase: Rounds] = [:]
    var (test, logits, measures) = (Rounds(), Rounds(), Rounds())
    var (two, ratio) = (Rounds(), Rounds())
    var share = CoreShare()
    for round in 1...EngineBench.rounds {
      func say(_ what: String) { progress("round \(round) of \(EngineBench.rounds): \(what)") }
      say("peak")
      gflopPerSecond.append(peakGFLOPPerSecond(peak))
      for (place, shape) in shapes.enumerated() {
        say(shape.rawValue)
        let trainer = trainers[place]
        seconds[place].append(share.count { stopwatch.secondsPerCall { _ = trainer.step() } })
      }
      say("phases")
      for (phase, value) in secondsPerPhase(trainers[0]) { phases[phase, default: Rounds()].append(value) }
      say("evaluation")
      test.append(stopwatch.secondsPerCall(evaluated.test))
      logits.append(stopwatch.secondsPerCall(evaluated.logits))
      measures.append(stopwatch.secondsPerCall(evaluated.measures))
      if let pair {
        say("two at once")
        let alone = secondsPerEpoch(copiesOn: [pair[0]])
        let both = secondsPerEpoch(copiesOn: pair)
        two.append(both)
        ratio.append(both / alone)
      }
    }
    progress("memory")
    let bytes = try ResidentMemory.ofChild(ownExecutable(), ["bench", "engine", "--only-memory"])

    let identity = WorkerIdentity.ofThisProcess(kernels: kernels, build: Build.version)
    let fmaPeak = EngineBenchReport.FMAPeak(gflopPerSecond: gflopPerSecond.max, median: gflopPerSecond.median)
    let measured = zip(shapes, seconds).map { shape, seconds in
      EngineBenchReport.Shape(
        name: shape.rawValue, experiment: shape.experiment, ms: 1000 * seconds.median, least: 1000 * seconds.min,
        peak: fmaPeak)
    }
    return EngineBenchReport(
      build: identity.build, cpu: identity.cpu, cores: identity.cores, kernelPath: kernels.rawValue,
      loadAverageBefore: load, shareOfCore: share.value, rounds: EngineBench.rounds,
      secondsPerTurn: stopwatch.turn / .seconds(1), fmaPeak: fmaPeak, shapes: measured,
      phases: phases.mapValues { 1000 * $0.median },
      evaluation: EngineBenchReport.Evaluation(
        testMs: 1000 * test.median, logitsMs: 1000 * logits.median, measuresMs: 1000 * measures.median,
        msPerEpoch: measured[0].ms),
      twoAtOnce: pair == nil
        ? nil : EngineBenchReport.TwoAtOnce(msPerEpoch: 1000 * two.median, ratio: ratio.median),
      peakResidentBytes: bytes)
  }

  private func peakGFLOPPerSecond(_ peak: PeakArithmetic) -> Double {
    let rounds = 50_000
    var multiplyAdds = 0
    let seconds = stopwatch.secondsPerCall { multiplyAdds = peak.run(rounds: rounds) }
    return 2 * Double(multiplyAdds) / seconds / 1e9
  }

  /// Seconds per epoch and phase.
  private func secondsPerPhase(_ trainer: Trainer) -> [TrainingPhase: Double] {
    var sums: [TrainingPhase: Double] = [:]
    for phase in TrainingPhase.allCases { sums[phase] = 0 }
    var epochs = 0
    _ = stopwatch.secondsPerCall {
      var lap = Stopwatch.Lap()
      _ = trainer.step { sums[$0]! += lap.seconds() }
      epochs += 1
    }
    return sums.mapValues { $0 / Double(epochs) }
  }

  private func secondsPerEpoch(copiesOn cores: [Int]) -> Double {
    SimultaneousCopies.secondsPerEpoch(
      BenchShape.paper.experiment, kernels: kernels, cores: cores, stopwatch: stopwatch)
  }

  /// Of the last minute.
  private static var loadAverage: Double? {
    var averages = [0.0, 0.0, 0.0]
    return getloadavg(&averages, 3) > 0 ? averages[0] : nil
  }
}

/// The parts of one evaluation, as a run takes it (`Run`, `RunAnalysis`).
private final class EvaluationWork {
  /// As many as the paper's model has; any will do.
  private static let keyFrequencies = [14, 35, 41, 42, 52]

  private let experiment: Experiment
  private let kernels: KernelPath
  private let start: Start
  private let trainer: Trainer
  private let circle: Circle
  private let meter: ProgressMeter?
  private var values: [Float] = []

  init(_ experiment: Experiment, kernels: KernelPath) {
    self.experiment = experiment
    self.kernels = kernels
    start = Start(experiment)
    trainer = Trainer(experiment, start: start, kernels: kernels)
    circle = Circle(of: experiment.task.operation, modulus: experiment.task.modulus)
    meter = ProgressMeter(task: experiment.task, split: start.split, labels: experiment.labels(on: start.split))
  }

  func test() { _ = trainer.evaluateTest() }

  func logits() {
    values = allLogits(weights: start.weights, activation: experiment.model.activation, kernels: kernels)
  }

  /// Of the logits that `logits` left.
  func measures() {
    let spectra = Spectra(weights: start.weights, around: circle)
    _ = (gini(spectra.normsW_E), gini(spectra.normsW_L), sumSquaredWeights(start.weights))
    _ = meter?.measures(
      of: values, classes: experiment.model.dVocabOut, keyFrequencies: EvaluationWork.keyFrequencies)
  }

  func all() {
    test()
    logits()
    measures()
  }
}
