// The texts that a sweep file is made of: itself, the files that it includes, and lists of points in CSV. Whoever reads
// a sweep file says how texts are found; this target opens nothing. What was read can be written as one text, a bundle,
// which means the same where those files are not: on another machine, or in a store years later.
//
// A bundle is the files one below the other, each behind a line that counts its lines:
//
//   #@ 12 lines of configs/x.yaml
//   …
//   #@ 3 lines of configs/common.yaml
//   …

/// What a caller finds where a sweep file names another.
package enum SweepSource: Sendable {
  case bytes([UInt8])
  /// Why not, as the end of a sentence: `no such file`.
  case unreadable(String)
}

struct SweepSources {
  /// Of the main file; its folder is where relative names begin.
  let mainName: String
  let mainText: String
  /// Of a bundle: everything that it holds, and nothing else is looked for.
  private let bundled: [(name: String, text: String)]?
  private let find: @Sendable (String) -> SweepSource
  /// In the order of reading, each once.
  private(set) var included: [(name: String, text: String)] = []
  private var bytes = 0

  /// All included files together. A sweep of a million points in two columns of CSV has about 12 MiB.
  static let maximumBytes = 16 << 20
  static let maximumFiles = 64

  private static let mark = "#@ "

  init(
    text: String, fileName: String, find: @escaping @Sendable (String) -> SweepSource
  ) throws(SweepFileProblem) {
    self.find = find
    guard Self.header(text.utf8.prefix { $0 != UInt8(ascii: "\n") }) != nil else {
      (mainName, mainText, bundled) = (Self.normalized(fileName), text, nil)
      return
    }
    var files = try Self.unbundled(text)
    let main = files.removeFirst()
    (mainName, mainText, bundled) = (main.name, main.text, files)
  }

  var isBundle: Bool { bundled != nil }

  /// The main file alone as it was written, or a bundle when it includes others.
  func wholeText(given: String) -> String {
    if included.isEmpty || isBundle { return given }
    var text = ""
    for file in [(name: mainName, text: mainText)] + included {
      var body = file.text
      if body.utf8.last != UInt8(ascii: "\n") { body += "\n" }
      text += "\(Self.mark)\(body.utf8.count { $0 == UInt8(ascii: "\n") }) lines of \(file.name)\n" + body
    }
    return text
  }

  /// The text of the file that `other`, which stands in the file `name`, means; and its name.
  mutating func read(_ other: String, from name: String, at place: SweepFilePlace) throws(SweepFileProblem) -> (
    name: String, text: String
  ) {
    let path = Self.joined(other, folderOf: name)
    if let known = included.first(where: { $0.name == path }) { return known }
    if let bundled {
      guard let file = bundled.first(where: { $0.name == path }) else {
        throw SweepFileProblem(place, "\(SweepText.shown(path)) is not among the files of this bundle")
      }
      included.append(file)
      return file
    }
    guard included.count < Self.maximumFiles else {
      throw SweepFileProblem(place, "more than \(Self.maximumFiles) files are included; put them together")
    }
    switch find(path) {
    case .unreadable(let reason): throw SweepFileProblem(place, "\(SweepText.shown(path)): \(reason)")
    case .bytes(let content):
      bytes += content.count
      guard bytes <= Self.maximumBytes else {
        throw SweepFileProblem(
          place, "\(SweepText.shown(path)): the included files have more than \(Self.maximumBytes) bytes together")
      }
      guard let text = String(validating: content, as: UTF8.self) else {
        throw SweepFileProblem(place, "\(SweepText.shown(path)): is not UTF-8 text; save the file as UTF-8")
      }
      included.append((path, text))
      return (path, text)
    }
  }

  /// `#@ 12 lines of x.yaml`; nil for other lines.
  private static func header(_ line: some Collection<UInt8>) -> (lines: Int, name: String)? {
    let text = String(decoding: line.prefix(4096), as: UTF8.self)
    guard let match = text.wholeMatch(of: /#@ ([0-9]{1,8}) lines of (.+?)\r?/), let lines = Int(match.1) else {
      return nil
    }
    return (lines, String(match.2))
  }

  private static func unbundled(_ text: String) throws(SweepFileProblem) -> [(name: String, text: String)] {
    // By bytes: to Swift, a line's end of Windows is one character and no "\n".
    var lines = Array(text.utf8).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)[...]
    var files: [(String, String)] = []
    var number = 1
    while let line = lines.first, !(lines.count == 1 && line.isEmpty) {
      guard let (count, name) = header(line), lines.count > count else {
        throw SweepFileProblem(
          .line(number),
          "this bundle is damaged: here a line such as \"#@ 12 lines of x.yaml\" should count the lines that follow; write the "
            + "files apart again")
      }
      let body = lines.dropFirst().prefix(count)
      files.append((name, String(decoding: Array(body.joined(separator: [UInt8(ascii: "\n")])), as: UTF8.self) + "\n"))
      lines = lines.dropFirst(count + 1)
      number += count + 1
    }
    return files
  }

  /// `name` where the folder of `file` is the current one; without `.`, and with `..` only in front.
  static func joined(_ name: String, folderOf file: String) -> String {
    guard !name.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return normalized(name) }
    return normalized(file[...slash] + name)
  }

  static func normalized(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == "..", let last = parts.last, last != ".." { parts.removeLast() } else { parts.append(part) }
    }
    return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
  }
}
