// YAML text as a tree whose every node knows where it stands. Yams parses; this file adds limits, aliases that cannot
// blow up, and sentences.
//
// Yams resolves aliases while it reads, and compares mapping keys while it does: a few nested aliases as keys would
// keep it busy for ever. So an alias reaches Yams as an ordinary word behind a mark of our own (same width, so that
// places stay right), and is resolved here, where the size of what it stands for is counted first. Nesting is limited
// by libyaml to 1,000 levels, for which the recursion of Yams and of this file needs less than 2 MiB of stack.

import Yams

/// A node of a YAML document, with aliases already replaced by what they stand for.
package struct YAMLTree: Sendable {
  package struct Pair: Sendable {
    package let key: YAMLTree
    package let value: YAMLTree
  }

  package enum Content: Sendable {
    /// `quoted` also for block texts (`|`, `>`): text that cannot be a number.
    case scalar(String, quoted: Bool)
    case list([YAMLTree])
    case mapping([Pair])
  }

  package let content: Content
  /// Of an alias: where the text stands that it repeats.
  package let place: SweepFilePlace
  /// Nodes in it, itself included, with every alias counted in full.
  let size: Int

  static let maximumBytes = 1 << 20
  static let maximumNodes = 200_000

  /// The plain scalar's or the quoted text's characters; nil for lists and mappings.
  package var text: String? {
    if case .scalar(let text, _) = content { text } else { nil }
  }

  /// Nothing, `~` or `null`.
  package var isNull: Bool {
    if case .scalar(let text, quoted: false) = content {
      ["", "~", "null", "Null", "NULL"].contains(text)
    } else {
      false
    }
  }

  /// The single document in `text`; nil when there is none. `place` turns a line, from 1, into a place.
  package static func parse(
    _ text: String, place: @escaping (Int) -> SweepFilePlace
  ) throws(SweepFileProblem) -> YAMLTree? {
    guard text.utf8.count <= maximumBytes else {
      throw SweepFileProblem(
        .file, "has \(text.utf8.count) bytes; a sweep file may have at most \(maximumBytes)")
    }
    let marked = text.utf8.contains(UInt8(ascii: "*")) ? text.replacing("*", with: aliasMark) : text
    do {
      let parser = try Parser(yaml: marked, resolver: .basic, encoding: .utf8)
      // The parser owns the anchors' names, to which nodes point weakly.
      return try withExtendedLifetime(parser) {
        guard let root = try parser.singleRoot() else { return nil }
        var builder = TreeBuilder(place: place)
        return try builder.tree(of: root)
      }
    } catch let problem as SweepFileProblem {
      throw problem
    } catch {
      throw SyntaxProblem.problem(of: error, in: text, place: place)
    }
  }

  /// A private-use character: nobody types it, and YAML reads it as a letter.
  fileprivate static let aliasMark = "\u{e000}"
}

/// Turns Yams' nodes into ours in the order of the document, so that an alias means the last anchor before it.
private struct TreeBuilder {
  let place: (Int) -> SweepFilePlace
  /// Looked up by name only.
  var anchors: [String: YAMLTree] = [:]

  init(place: @escaping (Int) -> SweepFilePlace) { self.place = place }

  mutating func tree(of node: Node) throws(SweepFileProblem) -> YAMLTree {
    let here = place(node.mark?.line ?? 1)
    let tag = node.tag.description
    guard ["tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"].contains(tag) else {
      throw SweepFileProblem(here, "the tag \(SweepText.shown(tag)) has no meaning in a sweep file; remove it")
    }
    let tree: YAMLTree
    switch node {
    case .scalar(let scalar):
      if scalar.style == .plain, scalar.string.hasPrefix(YAMLTree.aliasMark) {
        let name = String(scalar.string.dropFirst())
        guard let target = anchors[name] else {
          throw SweepFileProblem(
            here, "the alias *\(SweepText.shown(name)) has no anchor &\(SweepText.shown(name)) before it")
        }
        return target
      }
      let text = scalar.string.replacing(YAMLTree.aliasMark, with: "*")
      tree = YAMLTree(content: .scalar(text, quoted: scalar.style != .plain), place: here, size: 1)
    case .sequence(let sequence):
      var items: [YAMLTree] = []
      var size = 1
      for item in sequence {
        items.append(try self.tree(of: item))
        size = try grown(size, by: items[items.count - 1].size, here)
      }
      tree = YAMLTree(content: .list(items), place: here, size: size)
    case .mapping(let mapping):
      var pairs: [YAMLTree.Pair] = []
      var size = 1
      for (key, value) in mapping {
        let pair = YAMLTree.Pair(key: try self.tree(of: key), value: try self.tree(of: value))
        pairs.append(pair)
        size = try grown(size, by: pair.key.size + pair.value.size, here)
      }
      tree = YAMLTree(content: .mapping(pairs), place: here, size: size)
    case .alias:
      throw SweepFileProblem(here, "an alias stands where a value belongs")
    }
    if let anchor = node.anchor { anchors[anchor.rawValue] = tree }
    return tree
  }

  private func grown(_ size: Int, by more: Int, _ here: SweepFilePlace) throws(SweepFileProblem) -> Int {
    guard size + more <= YAMLTree.maximumNodes else {
      throw SweepFileProblem(
        here, "has more than \(YAMLTree.maximumNodes) values, aliases counted in full; a long axis is better a range")
    }
    return size + more
  }
}
