// Which two of the swept values somebody wants along the sides of a phase diagram, by the names that sweep files have for
// them. A name that is not swept is refused with a sentence that lists those that are.

import Results
import Sweeps

/// Why a phase diagram cannot have these axes, in a sentence.
package struct DiagramAxesError: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String
}

package struct DiagramAxes: Hashable, Sendable {
  /// Places among `SweepSettings.keys`, two different ones; nil: as the values suggest.
  let x: Int?
  let y: Int?

  /// Both as the values suggest.
  package static let suggested = DiagramAxes()

  private init() { (x, y) = (nil, nil) }

  /// - Parameters:
  ///   - x: the name of what goes to the right, `weight_decay` or `training.weight_decay`; of a zip any of its keys. Nil: as
  ///     the values suggest.
  ///   - y: the same for what goes upwards.
  package init(x: String?, y: String?, of settings: SweepSettings) throws(DiagramAxesError) {
    (self.x, self.y) = (try Self.place(of: x, settings), try Self.place(of: y, settings))
    let keys = settings.keys
    if let y = self.y, self.x == y {
      throw DiagramAxesError(
        description: "\(keys[y].path) cannot be both axes of a phase diagram; \(Self.known(settings))")
    }
    if self.y != nil, keys.count == 1 {
      throw DiagramAxesError(
        description:
          "the sweep \(settings.sweep) sweeps \(keys[0].path) alone, which goes to the right; nothing is left "
          + "to go upwards")
    }
  }

  private static func place(of name: String?, _ settings: SweepSettings) throws(DiagramAxesError) -> Int? {
    guard let name else { return nil }
    for (place, key) in settings.keys.enumerated() {
      for path in [key.path] + key.alongside where path == name || path.hasSuffix(".\(name)") { return place }
    }
    let names = settings.keys.flatMap { [$0.name, $0.path] }
    let hint = SweepText.nearest(to: name, among: names).map { "did you mean \($0)? " } ?? ""
    let isSeed = ["seed", "model_seed", "data_seed"].contains(name)
    throw DiagramAxesError(
      description: isSeed
        ? "seeds are no axis of a phase diagram: every cell holds the runs of all of them; \(known(settings))"
        : "the sweep \(settings.sweep) does not sweep \"\(SweepText.shown(name))\"; \(hint)\(known(settings))")
  }

  private static func known(_ settings: SweepSettings) -> String {
    settings.keys.isEmpty
      ? "this sweep sweeps seeds alone"
      : "what it sweeps is \(settings.keys.map(\.path).joined(separator: ", "))"
  }
}
