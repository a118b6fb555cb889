// A drawn figure, read back: its elements, and the boxes of its texts by the module's own measuring.

import Figures
import Foundation
import FoundationXML
import Testing

/// An element with what is inside.
final class Element {
  let name: String
  let attributes: [String: String]
  var children: [Element] = []
  var text = ""
  weak var parent: Element?

  init(_ name: String, _ attributes: [String: String], in parent: Element?) {
    self.name = name
    self.attributes = attributes
    self.parent = parent
  }

  var all: [Element] { [self] + children.flatMap(\.all) }
  func named(_ name: String) -> [Element] { all.filter { $0.name == name } }
  func number(_ attribute: String) -> Double? { attributes[attribute].flatMap(Double.init) }

  /// Of this element or of the nearest one around it that has it.
  func inherited(_ attribute: String) -> String? { attributes[attribute] ?? parent?.inherited(attribute) }
}

struct Box: CustomStringConvertible {
  var words: String
  var left, top, right, bottom: Double

  var description: String { "\"\(words)\" (\(left), \(top))–(\(right), \(bottom))" }

  func overlaps(_ other: Box) -> Bool {
    left < other.right - 0.5 && other.left < right - 0.5 && top < other.bottom - 0.5 && other.top < bottom - 0.5
  }
}

struct Drawn {
  let root: Element

  /// Fails for what is no XML.
  init(_ svg: String) throws {
    let reader = TreeReader()
    let parser = XMLParser(data: Data(svg.utf8))
    parser.delegate = reader
    #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "") \(svg.prefix(300))")
    root = try #require(reader.root)
  }

  init(_ figure: Figure, _ rendering: Rendering = Rendering()) throws { try self.init(figure.svg(rendering)) }

  func named(_ name: String) -> [Element] { root.named(name) }
  var words: [String] { named("text").map(\.text) }
  var paths: [String] { named("path").compactMap { $0.attributes["d"] } }
  var viewBox: [Double] { (root.attributes["viewBox"] ?? "").split(separator: " ").compactMap { Double($0) } }

  /// Of every text, turned ones too.
  var boxes: [Box] {
    named("text").map { element in
      let size = Double(element.inherited("font-size") ?? "") ?? 12
      let width = TextWidth.of(element.text, size: size) * (element.attributes["font-weight"] == nil ? 1 : 1.08)
      let (x, y) = (element.number("x") ?? 0, element.number("y") ?? 0)
      let start =
        switch element.attributes["text-anchor"] {
        case "middle": -width / 2
        case "end": -width
        default: 0.0
        }
      // Corners around the anchor, then turned about it.
      let corners = [
        (start, -size * 0.78), (start + width, -size * 0.78), (start, size * 0.2), (start + width, size * 0.2),
      ]
      let angle =
        (element.attributes["transform"]?.dropFirst("rotate(".count).split(separator: " ").first)
        .flatMap { Double($0) } ?? 0
      let turn = angle * Double.pi / 180
      let turned = corners.map { ($0.0 * cos(turn) - $0.1 * sin(turn), $0.0 * sin(turn) + $0.1 * cos(turn)) }
      return Box(
        words: element.text, left: x + turned.map(\.0).min()!, top: y + turned.map(\.1).min()!,
        right: x + turned.map(\.0).max()!, bottom: y + turned.map(\.1).max()!)
    }
  }

  /// Every text lies within the picture, and no two that are not turned askew lie on each other.
  func expectLegible(_ what: String) {
    let box = viewBox
    for text in boxes {
      #expect(
        text.left >= -0.5 && text.top >= -0.5 && text.right <= box[2] + 0.5 && text.bottom <= box[3] + 0.5,
        "\(what): \(text) reaches out of \(box)")
    }
    let askew = Set(
      named("text").enumerated().filter { $1.attributes["transform"]?.contains("-45") == true }.map(\.offset))
    let straight = boxes.enumerated().filter { !askew.contains($0.offset) }.map(\.element)
    for (index, text) in straight.enumerated() {
      for other in straight.dropFirst(index + 1) {
        #expect(!text.overlaps(other), "\(what): \(text) lies on \(other)")
      }
    }
  }
}

private final class TreeReader: NSObject, XMLParserDelegate {
  private(set) var root: Element?
  private var current: Element?

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    let element = Element(name, attributes, in: current)
    current?.children.append(element)
    if root == nil { root = element }
    current = element
  }

  func parser(_ parser: XMLParser, foundCharacters characters: String) { current?.text += characters }
  func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
    current = current?.parent
  }
}
