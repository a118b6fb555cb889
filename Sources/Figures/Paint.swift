// What figures are coloured with: roles rather than colours, so that one drawing serves light and dark pages.
//
// Categories are Okabe and Ito's eight, which people with any colour vision tell apart, a little lighter on dark ground;
// orders run from dark blue to yellow (cividis), signs from blue over grey to red.

/// A role that a theme has a colour for, or a colour that is the same in both.
package enum Paint: Hashable, Sendable {
  /// The i-th category, from 0; they repeat after eight.
  case series(Int)
  /// Text and axes.
  case ink
  /// Tick labels, notes.
  case muted
  /// Grid lines.
  case faint
  /// What the figure stands on.
  case ground
  /// The i-th stretch of a shaded axis, from 0; they repeat after three.
  case shade(Int)
  case fixed(Colour)

  /// The name of its CSS class and variable; nil for a colour that no theme changes.
  var className: String? {
    switch self {
    case .series(let index): "s\(Paint.wrapped(index, Theme.categories))"
    case .ink: "ink"
    case .muted: "mut"
    case .faint: "fnt"
    case .ground: "gnd"
    case .shade(let index): "p\(Paint.wrapped(index, Theme.shades))"
    case .fixed: nil
    }
  }

  private static func wrapped(_ index: Int, _ count: Int) -> Int { ((index % count) + count) % count }
}

/// 8 bits each, sRGB.
package struct Colour: Hashable, Sendable {
  package var red: UInt8
  package var green: UInt8
  package var blue: UInt8

  package init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  /// From `0x0072B2`.
  init(hex: UInt32) { self.init(UInt8(hex >> 16 & 255), UInt8(hex >> 8 & 255), UInt8(hex & 255)) }

  /// `#0072b2`.
  package var css: String {
    "#" + [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// Whether dark text is easier to read on it than light text.
  var isLight: Bool { 0.299 * Double(red) + 0.587 * Double(green) + 0.114 * Double(blue) > 140 }

  func mixed(with other: Colour, _ share: Double) -> Colour {
    func mix(_ a: UInt8, _ b: UInt8) -> UInt8 {
      UInt8(min(max((Double(a) + (Double(b) - Double(a)) * share).rounded(), 0), 255))
    }
    return Colour(mix(red, other.red), mix(green, other.green), mix(blue, other.blue))
  }
}

/// Colours for numbers.
package enum Ramp: Hashable, Sendable {
  /// From low to high: cividis, the same to people with and without red-green blindness, and in grey.
  case sequential
  /// From negative over zero to positive.
  case diverging

  /// - Parameter share: 0…1; beyond is cut.
  package func colour(at share: Double) -> Colour {
    let stops = stops
    let place = min(max(share.isNaN ? 0 : share, 0), 1) * Double(stops.count - 1)
    let low = min(Int(place), stops.count - 2)
    return stops[low].mixed(with: stops[low + 1], place - Double(low))
  }

  private var stops: [Colour] { self == .sequential ? Ramp.cividis : Ramp.signs }

  private static let cividis: [Colour] = [
    0x00224e, 0x123570, 0x3b496c, 0x575d6d, 0x707173, 0x8a8678, 0xa59c74, 0xc3b369, 0xe1cc55, 0xfee838,
  ].map(Colour.init(hex:))
  private static let signs: [Colour] = [
    0x053061, 0x2166ac, 0x4393c3, 0x92c5de, 0xd1e5f0, 0xf2f2f2, 0xfddbc7, 0xf4a582, 0xd6604d, 0xb2182b, 0x67001f,
  ].map(Colour.init(hex:))
}
