// The page that `bench engine` prints for people.

import Grokking
import Sweeps

extension EngineBenchReport {
  package var page: String {
    [head, shapeTable, phaseTable, foot].joined(separator: "\n\n")
  }

  private var head: String {
    let load = loadAverageBefore.map { ", load average before \(Wording.fixed($0, digits: 1))" } ?? ""
    return """
      groksweep \(build), kernels \(kernelPath), one core of \(cpu) (\(Wording.count(cores, "core"))\(load))
      FMA peak \(rate(fmaPeak.gflopPerSecond)) GFLOP/s (median \(rate(fmaPeak.median))); \
      times are medians of \(rounds) interleaved rounds, \(Wording.fixed(secondsPerTurn, digits: 2)) s each
      """
  }

  private var shapeTable: String {
    var table = TextTable([
      ("shape", .left), ("p", .right), ("pairs", .right), ("d_model", .right), ("heads", .right), ("d_mlp", .right),
      ("plan", .left), ("ms per epoch", .right), ("min", .right), ("GFLOP", .right), ("GFLOP/s", .right),
      ("of peak", .right),
    ])
    for shape in shapes {
      let (task, model) = (shape.experiment.task, shape.experiment.model)
      table.append([
        shape.name, "\(task.modulus)", Wording.grouped(shape.experiment.trainPairCount), "\(model.dModel)",
        "\(model.heads)", "\(model.dMLP)", "\(shape.plan)", time(shape.ms), time(shape.least),
        Wording.fixed(shape.gflopPerEpoch, digits: shape.gflopPerEpoch < 10 ? 3 : 1), rate(shape.gflopPerSecond),
        Wording.share(shape.shareOfPeak),
      ])
    }
    return table.text
  }

  private var phaseTable: String {
    let sum = phases.values.reduce(0, +)
    var table = TextTable([("the paper's epoch", .left), ("ms", .right), ("share", .right)])
    for phase in TrainingPhase.allCases {
      let ms = phases[phase] ?? 0
      table.append([phase.words, Wording.fixed(ms, digits: 3), Wording.share(ms / sum)])
    }
    return table.text
  }

  private var foot: String {
    let paper = shapes[0]
    var lines = [
      "GFLOP is the arithmetic of the engine's plan; what it leaves out, as zeros behind the ReLU, counts as done.",
      "The paper's shape: \(time(paper.ms)) ms an epoch, \(ratio(paper.ms / paper.msAtPeak)) times the "
        + "\(time(paper.msAtPeak)) ms of its arithmetic at the peak.",
      "An evaluation: \(time(evaluation.ms)) ms (test set \(time(evaluation.testMs)), logits of all pairs "
        + "\(time(evaluation.logitsMs)), measures \(time(evaluation.measuresMs))); one every \(Evaluation.every) epochs "
        + "is \(Wording.share(evaluation.shareOfRun)) of a run.",
    ]
    if let twoAtOnce {
      lines.append(
        "Two at once, a core each: \(time(twoAtOnce.msPerEpoch)) ms an epoch, \(ratio(twoAtOnce.ratio)) times one "
          + "alone.")
    }
    if let peakResidentBytes {
      lines.append(
        "Memory: \(Wording.fixed(Double(peakResidentBytes) / 1e6, digits: 1)) MB resident at most, in a process that "
          + "trains and analyses the paper's shape.")
    }
    if shareOfCore < 0.97 {
      lines.append(
        "Disturbed: other processes took \(Wording.share(1 - shareOfCore)) of the core; measure again when all is quiet."
      )
    }
    return lines.joined(separator: "\n")
  }

  private func time(_ ms: Double) -> String { Wording.fixed(ms, digits: ms < 1 ? 3 : ms < 100 ? 2 : 0) }
  private func rate(_ value: Double) -> String { Wording.fixed(value, digits: 1) }
  private func ratio(_ value: Double) -> String { Wording.fixed(value, digits: 2) }
}

extension TrainingPhase {
  fileprivate var words: String {
    switch self {
    case .tables: "tables"
    case .gather: "gather"
    case .products: "products"
    case .loss: "loss"
    case .scatter: "scatter"
    case .parameterGradients: "parameter gradients"
    case .adamW: "AdamW"
    }
  }
}
