// A run as a store has it, with what a file of weights says of its final model.

import Figures
import Grokking
import Results
import Sweeps

/// Why a run cannot be drawn as asked, in a sentence.
package struct RunFigureError: Error, CustomStringConvertible {
  package let description: String
}

extension RunSubject {
  /// Nothing was looked for.
  package static let weightsNotLoaded = Weights.absent("The final weights were not asked for.")

  /// Where final weights of `point` are looked for: beside its store.
  package static func weightsFile(of point: PointID, store: String) -> String {
    let stem = store.hasSuffix(".sqlite") ? String(store.dropLast(".sqlite".utf8.count)) : store
    return "\(stem).weights/\(point.hex).safetensors"
  }

  /// What is said of weights that are not there.
  package static func weightsMissing(_ point: PointID, store: String) -> Weights {
    .absent(
      "A store holds no weights. `groksweep train FILE --point \(point.short) --save "
        + "\(ShellWords.quoted(weightsFile(of: point, store: store)))`, "
        + "with the sweep's file and after making that folder, trains the run again to the same bits and puts its weights "
        + "where they are found; or name a file with --weights.")
  }

  /// - Throws: `RunFigureError` for a point that is not finished, and what the store throws.
  package init(_ point: PointID, in store: Store) throws {
    let story = try store.story(of: point)
    guard let result = try store.result(of: point) else {
      let why =
        story.state == .failed
        ? "it was set aside: \(story.failure ?? "no reason was recorded"); `groksweep retry` runs it again"
        : "`groksweep explain \(point.short)` tells where it stands"
      throw RunFigureError(
        description: "\(store.path): point \(point.short) has no result, so there is nothing to draw; \(why)")
    }
    self.init(point: point, experiment: story.experiment, result: result, weights: Self.weightsNotLoaded)
  }

  /// Reads the final model's grids off a file of weights.
  ///
  /// - Parameter fileName: for errors.
  /// - Throws: `RunFigureError` for weights that are not those with which this run ended.
  package mutating func load(weights bytes: [UInt8], fileName: String) throws {
    // A run without a final model has no figures of it, whatever the file holds.
    guard result.finalModel != nil else { return }
    func refused(_ why: String) -> RunFigureError { RunFigureError(description: "\(fileName): \(why)") }
    let model: ModelFile
    do {
      model = try ModelFile(parsing: bytes)
    } catch {
      throw refused("\(error)")
    }
    guard ParameterLayout(experiment).count == model.weights.layout.count, model.modulus == experiment.task.modulus
    else {
      throw refused("these weights are of another shape than those of point \(point.short)")
    }
    guard let named = model.metadata["point"] else {
      throw refused(
        "the file does not say of which point its weights are; `groksweep train --point \(point.short) --save` writes one that does"
      )
    }
    guard named == point.hex else {
      throw refused("these are the weights of point \(named.prefix(12)), not of \(point.short)")
    }
    if let epoch = model.metadata["epoch"].flatMap({ Int($0) }), epoch != result.epochs {
      throw refused("these are the weights after \(epoch) epochs; the run went on to \(result.epochs)")
    }
    do {
      weights = .known(try Self.maps(of: model, experiment, result))
    } catch {
      throw refused("\(error)")
    }
  }
}
