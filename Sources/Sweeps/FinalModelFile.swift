// The final model of a run as a safetensors file, which says whose it is.

import Foundation
import Grokking

extension ModelFile {
  /// - Parameters:
  ///   - run: finished.
  ///   - result: its result.
  ///   - point: nil for a run that did not start from its seeds, and so is no point's.
  package init(of run: Run, _ result: RunResult, point: PointID?) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var metadata = ["epoch": "\(result.epochs)", "format": "pt", "outcome": result.outcome.name]
    metadata["experiment"] = String(decoding: try encoder.encode(run.experiment), as: UTF8.self)
    metadata["engine_semantics"] = "\(Engine.semanticsVersion)"
    metadata["measure_version"] = "\(Engine.measureVersion)"
    if let point { metadata["point"] = point.hex }
    self.init(weights: run.weights, trainMask: run.split.trainMask, metadata: metadata)
  }
}
