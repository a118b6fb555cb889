// A page of the dashboard as a value: what it is called, and the parts that are drawn anew when the store changes. As HTML it
// needs no script; its script replaces parts by their names.

import Figures
import Reports

package struct LivePage: Sendable {
  /// What stands in a section of the page.
  package struct Part: Sendable, Hashable {
    /// Lower-case letters, digits and hyphens; the section's id.
    package let name: String
    package let heading: String
    package let markup: String

    /// What the script puts into the section.
    var content: String { "\n<h2>\(Markup.escaped(heading))</h2>\n\(markup)\n" }
  }

  package enum Kind: Sendable, Hashable {
    /// Changes with the store.
    case live
    /// Says the same for ever.
    case settled
    case notFound
    /// There is no store to read, for now; looks again by itself.
    case unavailable
  }

  package let kind: Kind
  package let title: String
  /// Links above the title.
  package let trail: [(name: String, path: String)]
  /// Plain text.
  package let lead: String
  package let parts: [Part]
  /// Of a page that is drawn as a whole elsewhere; else nil.
  let whole: String?
  /// The same for the same content, in every process (FNV-1a).
  package let tag: String

  init(
    _ kind: Kind, title: String, trail: [(name: String, path: String)] = [], lead: String = "", parts: [Part] = [],
    whole: String? = nil
  ) {
    self.kind = kind
    self.title = title
    self.trail = trail
    self.lead = lead
    self.parts = parts
    self.whole = whole
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for text in [title, lead, whole ?? ""] + parts.flatMap({ [$0.name, $0.heading, $0.markup] }) {
      for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
      hash = (hash ^ 0xff) &* 0x100_0000_01b3
    }
    tag = String(hash, radix: 16)
  }

  static let style = "/style.css"
  static let script = "/script.js"
  static let assets = HTMLPage.Assets.at(style: style, script: script)

  /// - Parameter path: the page's own, for its events.
  package func html(path: String) -> String {
    if let whole { return whole }
    var top = lead.isEmpty ? "" : HTMLPage.paragraph(lead)
    switch kind {
    case .live, .unavailable:
      let events = "/events?page=\(Address.encoded(path))&seen=\(tag)"
      top += "\n<p id=\"live\" data-events=\"\(Markup.escaped(events))\">Load the page again to see what is new.</p>"
    case .settled, .notFound: break
    }
    return HTMLPage(
      title: title, above: LivePage.trail(trail), lead: top,
      sections: parts.map { HTMLPage.Section($0.name, $0.heading, [$0.markup]) }, hasContents: parts.count > 2
    ).html(LivePage.assets)
  }

  /// Markup of links to the pages above.
  static func trail(_ trail: [(name: String, path: String)]) -> String {
    guard !trail.isEmpty else { return "" }
    let links = trail.map { "<a href=\"\(Markup.escaped($0.path))\">\(Markup.escaped($0.name))</a>" }
    return "<p class=\"trail\">\(links.joined(separator: " › "))</p>\n"
  }
}

/// Paths of pages, and names within them.
enum Address {
  static func encoded(_ text: String) -> String {
    text.utf8.map { byte in
      let isPlain =
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
        || "-._~".utf8.contains(byte)
      return isPlain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }

  static func sweep(_ name: String) -> String { "/sweep/\(encoded(name))" }
  static func point(_ short: String) -> String { "/point/\(short)" }
}
