// What an axis of a panel means: its title with unit, its kind of scale, and what must lie on it.

package struct Axis: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    case linear
    /// Of base 10. Values at or below zero have no place on it and leave gaps.
    case logarithmic
    /// Names at equal distances; the i-th stands at i, from 0.
    case bands([String])
  }

  /// With the unit in brackets where there is one: `Loss (nats)`.
  package var title: String
  package var kind: Kind
  /// Values that are on the axis even when no mark is there.
  package var including: [Double]
  /// Where it ends, whatever the marks say; they are cut off there.
  package var limits: ClosedRange<Double>?
  /// Written at those places instead of ticks that are found; for linear axes.
  package var names: [Double: String]

  package init(
    _ title: String, _ kind: Kind = .linear, including: [Double] = [], limits: ClosedRange<Double>? = nil,
    names: [Double: String] = [:]
  ) {
    self.title = title
    self.kind = kind
    self.including = including
    self.limits = limits
    self.names = names
  }
}
