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

extension RunResult {
  /// Why its final weights are not those of `point`, in a sentence; nil when they are, or when it has none. Looks at names and
  /// sizes, not at the numbers.
  package func problemOfWeights(of point: PointID) -> String? {
    guard let finalWeights else { return nil }
    do {
      let file = try SafeTensors(parsing: finalWeights)
      guard file.metadata["point"] == point.hex else { return "they are not of this point" }
      guard file.metadata["epoch"] == "\(epochs)" else { return "they are not of epoch \(epochs)" }
      return file[TensorName.W_E.fileName] == nil ? "there is no model in them" : nil
    } catch {
      return error.message
    }
  }
}
