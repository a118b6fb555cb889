// A run as a store has it, with what its final weights, or a file of them, say of its final model.

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

  /// What is said of weights that are not there.
  private static func weightsMissing(_ point: PointID, store: String) -> Weights {
    .absent(
      "The store has no final weights of this run: it was run with --no-weights, or by an older groksweep. "
        + "`groksweep verify \(point.short) --store \(ShellWords.quoted(store))` runs it again to the same bits and stores them; "
        + "or name a file with --weights.")
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

  /// Whether figures can be drawn from the final weights.
  package var hasWeights: Bool { if case .known = weights { true } else { false } }

  /// Reads the final weights that `store` has of this run. Without any, and with damaged ones, the figures that need them
  /// say so.
  ///
  /// - Throws: what the store throws.
  package mutating func loadWeights(from store: Store) throws {
    guard let bytes = try store.finalWeights(of: point) else {
      weights =
        result.semanticsVersion == Engine.semanticsVersion
        ? Self.weightsMissing(point, store: store.path)
        : .absent("The store has no final weights of this run, which an older groksweep ran.")
      return
    }
    do {
      try load(weights: bytes, fileName: "the final weights in \(store.path)")
    } catch let error as RunFigureError {
      weights = .absent("\(error).")
    }
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
