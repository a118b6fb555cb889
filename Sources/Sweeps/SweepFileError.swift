// What is wrong with a sweep file, in sentences for the person who wrote it. All problems are told at once, so that a
// file is corrected in one go; nobody here prints.

/// Where a problem of a sweep stands.
package enum SweepFilePlace: Hashable, Sendable {
  /// The file as a whole.
  case file
  /// A line of the file, from 1.
  case line(Int)
  /// A line, from 1, of a file that the file includes; nil for that file as a whole.
  case included(file: String, line: Int?)
  /// A `key=value` of the command line, as it was typed.
  case override(String)
}

extension SweepFilePlace {
  /// In its file, from 1.
  var line: Int? {
    switch self {
    case .line(let line): line
    case .included(_, let line): line
    case .file, .override: nil
    }
  }

  /// Ends a sentence about something that stands there: ` on line 3`.
  var whereabouts: String {
    switch self {
    case .file: ""
    case .line(let line): " on line \(line)"
    case .included(let file, let line?): " on line \(line) of \(file)"
    case .included(let file, nil): " in \(file)"
    case .override(let text): " by --set \(SweepText.shown(text))"
    }
  }
}

/// One problem: where it stands, what is wrong, and what would be right.
package struct SweepFileProblem: Error, Hashable, Sendable {
  package let place: SweepFilePlace
  package let message: String

  package init(_ place: SweepFilePlace, _ message: String) {
    self.place = place
    self.message = message
  }
}

/// A sweep file that cannot be run. Its description has one line per problem, in the order of the file:
/// `configs/x.yaml:12: unknown key "weight_decya" in training; did you mean weight_decay?`
package struct SweepFileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The name that the caller gave, for display.
  package let file: String
  /// In the order of the file, then those of files that it includes, those of the command line last; each once, never
  /// empty.
  package let problems: [SweepFileProblem]

  /// More problems than a person reads at once are counted, not listed.
  static let listedProblems = 20

  package init(file: String, problems: [SweepFileProblem]) {
    precondition(!problems.isEmpty, "an error of \(file) without a problem")
    self.file = file
    // What is common to several blocks is wrong in each of them.
    var seen = Set<SweepFileProblem>()
    let distinct = problems.filter { seen.insert($0).inserted }
    // Sorted by place and then by discovery: `sort` alone does not promise to keep equal places in order.
    self.problems = distinct.enumerated()
      .sorted { left, right in
        let (a, b) = (Self.rank(left.element.place), Self.rank(right.element.place))
        return (a.kind, a.file, a.line, left.offset) < (b.kind, b.file, b.line, right.offset)
      }
      .map(\.element)
  }

  /// The first problem's line, where it has one.
  package var line: Int? {
    if case .line(let line) = problems[0].place { line } else { nil }
  }

  /// The first problem's sentence, without its place.
  package var message: String { problems[0].message }

  package var description: String {
    var lines = problems.prefix(Self.listedProblems).map { problem in
      switch problem.place {
      case .file: "\(file): \(problem.message)"
      case .line(let line): "\(file):\(line): \(problem.message)"
      case .included(let file, let line?): "\(file):\(line): \(problem.message)"
      case .included(let file, nil): "\(file): \(problem.message)"
      case .override(let text): "--set \(SweepText.shown(text)): \(problem.message)"
      }
    }
    if problems.count > lines.count {
      lines.append("\(file): and \(problems.count - lines.count) more problems")
    }
    return lines.joined(separator: "\n")
  }

  private static func rank(_ place: SweepFilePlace) -> (kind: Int, file: String, line: Int) {
    switch place {
    case .file: (0, "", 0)
    case .line(let line): (0, "", line)
    case .included(let file, let line): (1, file, line ?? 0)
    case .override: (2, "", 0)
    }
  }
}
