// Elements of an SVG, written one after the other. Knows how a role becomes a colour in a page and in a file.

struct SVGText {
  let rendering: Rendering
  private(set) var text = ""

  init(_ rendering: Rendering) { self.rendering = rendering }

  enum Anchor: String { case start, middle, end }

  var isPage: Bool { rendering.place == .page }
  private var theme: Theme { if case .file(let theme) = rendering.place { theme } else { .light } }

  /// ` fill="#0072b2" stroke="none"` and, in a page, the classes by which its style sheet finds them.
  func paints(fill: Paint? = nil, stroke: Paint? = nil) -> String {
    var attributes = ""
    if let fill { attributes += " fill=\"\(theme.colour(of: fill).css)\"" }
    if let stroke { attributes += " stroke=\"\(theme.colour(of: stroke).css)\"" }
    guard isPage else { return attributes }
    let classes = [fill?.className.map { "f-" + $0 }, stroke?.className.map { "s-" + $0 }].compactMap { $0 }
    return classes.isEmpty ? attributes : attributes + " class=\"\(classes.joined(separator: " "))\""
  }

  mutating func raw(_ markup: String) { text += markup }

  /// - Parameter attributes: written out, with a space before each.
  mutating func open(_ tag: String, _ attributes: String = "") { text += "<\(tag)\(attributes)>" }
  mutating func close(_ tag: String) { text += "</\(tag)>" }

  /// With `title` inside where there is one: what browsers show when the pointer rests on it.
  mutating func element(_ tag: String, _ attributes: String, title: String = "") {
    if title.isEmpty {
      text += "<\(tag)\(attributes)/>"
    } else {
      text += "<\(tag)\(attributes)><title>\(Markup.escaped(title))</title></\(tag)>"
    }
  }

  mutating func label(
    _ words: String, _ x: Double, _ y: Double, _ anchor: Anchor = .start, size: Double? = nil, paint: Paint? = nil,
    isBold: Bool = false, turned: Double? = nil
  ) {
    guard !words.isEmpty else { return }
    var attributes = Self.place(x, y)
    if anchor != .start { attributes += " text-anchor=\"\(anchor.rawValue)\"" }
    if let size { attributes += " font-size=\"\(NumberText.coordinate(size))\"" }
    if isBold { attributes += " font-weight=\"600\"" }
    if let turned {
      attributes +=
        " transform=\"rotate(\(NumberText.coordinate(turned)) \(NumberText.coordinate(x)) \(NumberText.coordinate(y)))\""
    }
    if let paint { attributes += paints(fill: paint) }
    text += "<text\(attributes)>\(Markup.escaped(words))</text>"
  }

  mutating func rectangle(
    _ rectangle: Rectangle, fill: Paint?, stroke: Paint? = nil, title: String = "", more: String = ""
  ) {
    let attributes = Self.place(rectangle.x, rectangle.y) + Self.size(rectangle) + more
    element("rect", attributes + paints(fill: fill, stroke: stroke), title: title)
  }

  mutating func path(_ path: PathText, _ attributes: String) {
    guard !path.isEmpty else { return }
    text += "<path d=\"\(path.text)\"\(attributes)/>"
  }

  static func place(_ x: Double, _ y: Double) -> String {
    " x=\"\(NumberText.coordinate(x))\" y=\"\(NumberText.coordinate(y))\""
  }

  static func size(_ rectangle: Rectangle) -> String {
    " width=\"\(NumberText.coordinate(rectangle.width))\" height=\"\(NumberText.coordinate(rectangle.height))\""
  }
}

struct Rectangle: Hashable {
  var x: Double
  var y: Double
  var width: Double
  var height: Double

  var right: Double { x + width }
  var bottom: Double { y + height }

  func overlaps(_ other: Rectangle) -> Bool {
    x < other.right && other.x < right && y < other.bottom && other.y < bottom
  }
}
