// A figure: panels with axes and marks, words around them, and the table of what is drawn. A value; `svg` draws it.
//
// The same figure gives the same bytes everywhere. It knows nothing of runs or sweeps.

/// One pair of axes with its marks.
package struct Panel: Hashable, Sendable {
  /// Above the panel, when there are several.
  package var title: String?
  package var x: Axis
  package var y: Axis
  /// In the order in which they are drawn.
  package var marks: [Mark]
  package var shades: [Shade]
  package var references: [Reference]

  package init(
    title: String? = nil, x: Axis, y: Axis, marks: [Mark], shades: [Shade] = [], references: [Reference] = []
  ) {
    self.title = title
    self.x = x
    self.y = y
    self.marks = marks
    self.shades = shades
    self.references = references
  }
}

package struct Figure: Hashable, Sendable {
  /// Which axes are the same in all panels.
  package struct Sharing: OptionSet, Hashable, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    package static let x = Sharing(rawValue: 1)
    package static let y = Sharing(rawValue: 2)
    /// Heat maps' colours.
    package static let colours = Sharing(rawValue: 4)
  }

  package enum Shape: Hashable, Sendable {
    /// Height of each panel's plot.
    case height(Double)
    /// As high as wide: heat maps of operands, circles.
    case square
  }

  /// For files and anchors: lower-case letters, digits and hyphens.
  package var name: String
  package var title: String
  /// What to look for, with numbers; plain text.
  package var caption: String
  package var panels: [Panel]
  /// Panels side by side on a wide page; fewer where there is no room.
  package var columns: Int
  package var sharing: Sharing
  package var shape: Shape
  /// What is said in place of a picture that would show nothing.
  package var absence: String?
  package var table: DataTable

  package init(
    name: String, title: String, caption: String, panels: [Panel], columns: Int = 1,
    sharing: Sharing = [.x, .y, .colours],
    shape: Shape = .height(260), absence: String? = nil, table: DataTable
  ) {
    precondition(Figure.isName(name), "a figure's name is of lower-case letters, digits and hyphens: \(name)")
    self.name = name
    self.title = title
    self.caption = caption
    self.panels = panels
    self.columns = columns
    self.sharing = sharing
    self.shape = shape
    self.absence = absence
    self.table = table
  }

  /// A figure of which there is nothing but the reason.
  package init(name: String, title: String, absence: String) {
    self.init(
      name: name, title: title, caption: "", panels: [], absence: absence, table: DataTable(columns: [], rows: []))
  }

  /// Whether any of its marks has anything to draw.
  package var isEmpty: Bool { !panels.contains { $0.marks.contains(where: \.hasContent) } }

  private static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { "abcdefghijklmnopqrstuvwxyz0123456789-".utf8.contains($0) }
  }
}

/// How a figure is drawn.
package struct Rendering: Hashable, Sendable {
  package enum Place: Hashable, Sendable {
    /// Inside an HTML page that has `Theme.styleSheet`: transparent, with classes beside the light theme's colours, and
    /// values for a script to show.
    case page
    /// A file of its own: title and ground drawn, literal colours.
    case file(Theme)
  }

  package var place: Place
  /// In units of the drawing, which are pixels at its natural size.
  package var width: Double
  /// Added to ids, so that two drawings of one figure can stand in one page.
  package var suffix: String

  package init(_ place: Place = .file(.light), width: Double = 720, suffix: String = "") {
    self.place = place
    self.width = width
    self.suffix = suffix
  }
}
