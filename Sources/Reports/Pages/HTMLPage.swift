// A page of HTML that stands alone: head, style, script, header, sections. Reports are files of it; the dashboard serves it
// with style and script at addresses of their own. All text goes through `Markup.escaped`; what is called markup here has.

import Figures

package struct HTMLPage: Sendable {
  package struct Section: Sendable {
    /// For links: lower-case letters, digits and hyphens.
    package var name: String
    package var heading: String
    /// One after the other.
    package var markup: [String]

    package init(_ name: String, _ heading: String, _ markup: [String]) {
      self.name = name
      self.heading = heading
      self.markup = markup
    }
  }

  /// Where style and script are.
  package enum Assets: Sendable {
    /// In the page itself, which then needs nothing else.
    case inside
    /// At these addresses.
    case at(style: String, script: String)
  }

  package var title: String
  /// Before the title; markup.
  package var above: String
  /// Under the title; markup.
  package var lead: String
  package var sections: [Section]
  /// Whether links to the sections stand under the header.
  package var hasContents: Bool
  /// At the end; plain text.
  package var footer: String

  package init(
    title: String, above: String = "", lead: String = "", sections: [Section], hasContents: Bool = true,
    footer: String = ""
  ) {
    self.title = title
    self.above = above
    self.lead = lead
    self.sections = sections
    self.hasContents = hasContents
    self.footer = footer
  }

  package func html(_ assets: Assets = .inside) -> String {
    var page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    switch assets {
    case .inside:
      // Nothing may be fetched, whatever a name in a sweep file says.
      page += "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
      page += "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
    case .at: break
    }
    page += "<title>\(Markup.escaped(title))</title>\n"
    switch assets {
    case .inside: page += "<style>\n\(PageStyle.sheet)</style>\n"
    case .at(let style, _): page += "<link rel=\"stylesheet\" href=\"\(Markup.escaped(style))\">\n"
    }
    page += "</head>\n<body>\n<header>\n\(above)<h1>\(Markup.escaped(title))</h1>\n\(lead)\n"
    if hasContents, sections.count > 1 {
      let links = sections.map { "<a href=\"#\($0.name)\">\(Markup.escaped($0.heading))</a>" }
      page += "<nav>\(links.joined(separator: " "))</nav>\n"
    }
    page += "</header>\n<main>\n"
    for section in sections {
      page += "<section id=\"\(section.name)\">\n<h2>\(Markup.escaped(section.heading))</h2>\n"
      page += section.markup.joined(separator: "\n") + "\n</section>\n"
    }
    page += "</main>\n"
    if !footer.isEmpty { page += "<footer><p>\(Markup.escaped(footer))</p></footer>\n" }
    switch assets {
    case .inside: page += "<script>\n\(PageScript.text)</script>\n"
    case .at(_, let script): page += "<script src=\"\(Markup.escaped(script))\" defer></script>\n"
    }
    return page + "</body>\n</html>\n"
  }

  /// A paragraph of plain text.
  package static func paragraph(_ text: String) -> String { "<p>\(prose(text))</p>" }

  /// Plain text as markup: what stands between backticks as code; else units stay with their numbers, and powers of ten are
  /// written as such.
  package static func prose(_ text: String) -> String {
    let parts = text.split(separator: "`", omittingEmptySubsequences: false).map(String.init)
    // A backtick that is never closed is one.
    guard parts.count % 2 == 1 else { return words(text) }
    return parts.enumerated().map { place, part in
      place % 2 == 1 ? "<code>\(Markup.escaped(part))</code>" : words(part)
    }.joined()
  }

  private static func words(_ text: String) -> String {
    // One digit before the point, as our own numbers have: ids are not taken for them, nor are values of settings.
    let escaped = Markup.escaped(text).replacing(" %", with: "\u{A0}%")
    return escaped.replacing(/(^|[^\w.=\-])(\d(?:\.\d+)?)e(-?\d{1,3})(?!\w)/) { match in
      "\(match.1)\(match.2)×\(NumberText.power(of: Int(match.3) ?? 0))"
    }
  }

  /// Names and values side by side; plain text.
  package static func facts(_ facts: [(name: String, value: String)]) -> String {
    let rows = facts.map { fact in
      "<div><dt>\(Markup.escaped(fact.name))</dt><dd>\(words(fact.value))</dd></div>"
    }
    return "<dl class=\"facts\">\n\(rows.joined(separator: "\n"))\n</dl>"
  }

  /// A table in a block that scrolls by itself where it is wider than the page.
  package static func table(_ table: DataTable, limit: Int = .max) -> String {
    "<div class=\"table\">\(table.html(limit: limit))</div>"
  }
}
