// Rules of the house that a machine can check: imports follow the stack, pure targets stay pure, files parse, links
// resolve.

import Foundation
import Grokking
import Sweeps
import Testing

@Suite struct TidyTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Each target's imports from this package (docs/explanation/architecture.md).
  private static let mayImport: [(target: String, targets: Set<String>)] = [
    ("Kernels", ["CKernels"]),
    ("Grokking", ["Kernels"]),
    ("Sweeps", ["Grokking", "Kernels"]),
    ("Simulation", ["Sweeps", "Grokking"]),
    ("ZeroMQ", ["CZeroMQ"]),
    ("Results", ["Sweeps", "Grokking"]),
    ("Cluster", ["Results", "Sweeps", "Grokking", "Kernels", "ZeroMQ"]),
    ("Figures", []),
    ("Reports", ["Figures", "Results", "Sweeps", "Grokking"]),
    ("Dashboard", ["Figures", "Reports", "Results", "Sweeps", "Grokking"]),
    ("Launchers", ["Cluster", "Results", "Sweeps"]),
    (
      "groksweep",
      [
        "Cluster", "Dashboard", "Figures", "Launchers", "Reports", "Results", "Simulation", "Sweeps", "Grokking",
        "Kernels",
        "ZeroMQ",
      ]
    ),
  ]

  private static let ours: Set<String> = [
    "CKernels", "Kernels", "Grokking", "Sweeps", "Simulation", "CZeroMQ", "ZeroMQ", "Results", "Cluster", "Launchers",
    "Reports", "Dashboard", "groksweep",
  ]

  @Test func `imports follow the stack`() throws {
    for (target, allowed) in Self.mayImport {
      for file in try Self.files(under: "Sources/\(target)", ending: ".swift") {
        for line in try Self.lines(of: file) {
          guard let imported = Self.importedModule(line), Self.ours.contains(imported) else { continue }
          #expect(allowed.contains(imported), "\(file.lastPathComponent) imports \(imported)")
        }
      }
    }
  }

  @Test func `only Results knows SQL and only ZeroMQ knows libzmq`() throws {
    for target in Self.mayImport.map(\.target) {
      for file in try Self.files(under: "Sources/\(target)", ending: ".swift") {
        for line in try Self.lines(of: file) {
          switch Self.importedModule(line) {
          case "GRDB": #expect(target == "Results", "\(file.lastPathComponent)")
          case "CZeroMQ": #expect(target == "ZeroMQ", "\(file.lastPathComponent)")
          case "Yams": #expect(target == "Sweeps", "\(file.lastPathComponent)")
          default: break
          }
        }
      }
    }
  }

  @Test func `pure targets ask for no time, file, socket, thread or unseeded randomness`() throws {
    let forbidden = [
      "Date()", "Date.now", "ContinuousClock", "SuspendingClock", "DispatchTime", "clock_gettime", "FileManager",
      "FileHandle", "ProcessInfo", "Thread", "SystemRandomNumberGenerator", ".random(", ".shuffled()", ".randomElement",
      "UUID()", "print(", "Logger", "fopen", "await ", "getenv", ".hashValue", "Hasher()",
    ]
    for target in ["Kernels", "Grokking", "Sweeps", "Simulation", "Figures"] {
      for file in try Self.files(under: "Sources/\(target)", ending: ".swift") {
        for (number, line) in try Self.lines(of: file).enumerated() where !Self.isComment(line) {
          for word in forbidden {
            #expect(!line.contains(word), "\(file.lastPathComponent):\(number + 1) has \(word)")
          }
        }
      }
    }
    for target in ["Kernels", "Grokking"] {
      for file in try Self.files(under: "Sources/\(target)", ending: ".swift") {
        for (number, line) in try Self.lines(of: file).enumerated() where !Self.isComment(line) {
          for name in ["Foundation.exp", "Foundation.log", "Glibc"] {
            #expect(!line.contains(name), "\(file.lastPathComponent):\(number + 1): libm differs between machines")
          }
        }
      }
    }
  }

  @Test func `every ready sweep file parses and opens with its purpose`() throws {
    let files = try Self.files(under: "configs", ending: ".yaml")
    #expect(files.count >= 4)
    for file in files {
      let sweep = try Self.sweep(of: file)
      #expect(!sweep.points.isEmpty)
      let opening = try Self.lines(of: file).prefix { $0.hasPrefix("#") }.joined(separator: "\n").lowercased()
      for word in ["points", "core-", "expect"] {
        #expect(opening.contains(word), "\(file.lastPathComponent) does not say its \(word)")
      }
      #expect(opening.contains("\(sweep.points.count) points"), "\(file.lastPathComponent): \(sweep.points.count)")
    }
  }

  @Test func `every ready sweep file names the cost that plan estimates`() throws {
    for file in try Self.files(under: "configs", ending: ".yaml") {
      let sweep = try Self.sweep(of: file)
      let hours = sweep.points.reduce(0) { $0 + $1.experiment.estimatedCoreSeconds } / 3600
      let text = try String(contentsOf: file, encoding: .utf8)
      let match = try #require(text.firstMatch(of: /(under )?(\d+\.\d+) core-hours/), "\(file.lastPathComponent)")
      let named = try #require(Double(match.2))
      if match.1 == nil {
        #expect(abs(named / hours - 1) < 0.2, "\(file.lastPathComponent): \(hours)")
      } else {
        #expect(hours < named, "\(file.lastPathComponent): \(hours)")
      }
    }
  }

  @Test func `every link in the docs leads to a file, and to a heading of it where it names one`() throws {
    var pages = try Self.files(under: "docs", ending: ".md")
    pages += ["README.md", "CHANGELOG.md"].map { Self.root.appending(path: $0) }
    let link = /\]\(([^)#\s]*)(?:#([^)]*))?\)/
    var anchors: [URL: [String]] = [:]
    for page in pages {
      for line in try Self.lines(of: page) where line.contains("](") {
        for match in line.matches(of: link) where !match.1.hasPrefix("http") {
          let place = "\(page.lastPathComponent): \(match.0)"
          let target =
            match.1.isEmpty
            ? page : page.deletingLastPathComponent().appending(path: String(match.1)).standardizedFileURL
          #expect(FileManager.default.fileExists(atPath: target.path), "\(place)")
          guard let anchor = match.2, target.pathExtension == "md" else { continue }
          let known = try anchors[target] ?? Self.anchors(of: target)
          anchors[target] = known
          #expect(known.contains(String(anchor)), "\(place)")
        }
      }
    }
  }

  private static func sweep(of file: URL) throws -> SweepFile {
    try SweepFile(bytes: [UInt8](Data(contentsOf: file)), fileName: file.path) { name in
      (try? Data(contentsOf: URL(filePath: name))).map { .bytes([UInt8]($0)) } ?? .unreadable("no such file")
    }
  }

  /// Of a page's headings, by GitHub's rule: in lower case, without punctuation, hyphens for spaces; a second heading of
  /// the same words ends in -1.
  private static func anchors(of page: URL) throws -> [String] {
    var anchors: [String] = []
    var isCode = false
    for line in try lines(of: page) {
      if line.hasPrefix("```") { isCode.toggle() }
      guard !isCode, line.hasPrefix("#"), let heading = line.firstMatch(of: /^#{1,6} +(.*?) *$/) else { continue }
      let words = heading.1.lowercased().filter { $0.isLetter || $0.isNumber || " -_".contains($0) }
      let anchor = words.replacing(" ", with: "-")
      let earlier = anchors.count { $0 == anchor || $0.wholeMatch(of: /(.*)-\d+/)?.1 ?? "" == anchor }
      anchors.append(earlier == 0 ? anchor : "\(anchor)-\(earlier)")
    }
    return anchors
  }

  private static func files(under folder: String, ending: String) throws -> [URL] {
    let names = try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path)
    return names.filter { $0.hasSuffix(ending) }.sorted().map { root.appending(path: "\(folder)/\($0)") }
  }

  private static func lines(of file: URL) throws -> [String] {
    try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n")
  }

  private static func isComment(_ line: String) -> Bool {
    line.drop { $0 == " " }.hasPrefix("//")
  }

  private static func importedModule(_ line: String) -> String? {
    guard let match = line.firstMatch(of: /^\s*(?:package |private |internal )?import (?:struct |class |func )?(\w+)/)
    else { return nil }
    return String(match.1)
  }
}
