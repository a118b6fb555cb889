// The colours of every role, light and dark, and the style sheet that lets a page choose between them.

package enum Theme: String, Sendable, CaseIterable {
  case light, dark

  static let categories = 8
  static let shades = 3

  /// Every role with the name of its class and its colours.
  private static let roles: [(paint: Paint, light: UInt32, dark: UInt32)] = [
    (.ground, 0xffffff, 0x16181c), (.ink, 0x1c1e21, 0xe8e9eb), (.muted, 0x5a5f66, 0xa9afb8),
    (.faint, 0xe3e5e8, 0x34383f),
    (.series(0), 0x0072b2, 0x5aa9e6), (.series(1), 0xd55e00, 0xf0803c), (.series(2), 0x009e73, 0x2fbf93),
    (.series(3), 0xcc79a7, 0xde8fbe), (.series(4), 0xe69f00, 0xf2b632), (.series(5), 0x56b4e9, 0xa5d8f3),
    (.series(6), 0x6e6e6e, 0xbdbdbd), (.series(7), 0x8a7f00, 0xf0e442),
    (.shade(0), 0xe7f0f8, 0x1d2a38), (.shade(1), 0xfdf1dc, 0x352c1b), (.shade(2), 0xe4f4ec, 0x1b3229),
  ]

  package func colour(of paint: Paint) -> Colour {
    if case .fixed(let colour) = paint { return colour }
    let role = Theme.roles.first { $0.paint.className == paint.className }
    guard let role else { preconditionFailure("no colour for \(paint)") }
    return Colour(hex: self == .light ? role.light : role.dark)
  }

  /// Variables and rules for figures inside a page: dark when the reader's system is, unless the root element has the class
  /// `light` or `dark`. Figures carry light colours as attributes, which these rules go before.
  package static let styleSheet: String = {
    func variables(_ theme: Theme) -> String {
      roles.map { "--\($0.paint.className!):\(theme.colour(of: $0.paint).css)" }.joined(separator: ";")
    }
    let rules = roles.map { role in
      let name = role.paint.className!
      return "svg.figure .f-\(name){fill:var(--\(name))}svg.figure .s-\(name){stroke:var(--\(name))}"
    }
    return """
      :root{color-scheme:light;\(variables(.light))}
      @media (prefers-color-scheme:dark){:root:not(.light){color-scheme:dark;\(variables(.dark))}}
      :root.dark{color-scheme:dark;\(variables(.dark))}
      @media print{:root,:root:not(.light),:root.dark{color-scheme:light;\(variables(.light))}}
      \(rules.joined(separator: "\n"))

      """
  }()
}
