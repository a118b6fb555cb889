// One value of a sweep file, read from its node. Every sentence about a wrong type stands here.

/// A value of one key, fixed or on an axis.
enum SettingValue: Hashable, Sendable {
  /// Finite; whole for whole keys and seeds, which are exact up to 2^53.
  case number(Double)
  case word(String)
  case flag(Bool)
  /// `null`, for keys that may be absent: never, or no batches.
  case absent
  /// `p` (0) or `p+1` (1): follows the modulus.
  case modulusPlus(Int)

  /// What a key takes.
  enum Kind: Hashable, Sendable {
    case whole
    case decimal
    case word([String])
    case flag
    /// p, p+1 or a whole number.
    case vocabulary
    /// A whole number, or null, which means what the text says: `never`.
    case wholeOrNull(String)
    /// A whole number from 0 to `maximumSeed`.
    case seed

    /// Completes "must be …".
    var expectation: String {
      switch self {
      case .whole: "a whole number"
      case .decimal: "a number"
      case .word(let words): "one of " + words.joined(separator: ", ")
      case .flag: "true or false"
      case .vocabulary: "p, p+1 or a whole number"
      case .wholeOrNull(let meaning): "a whole number, or null for \(meaning)"
      case .seed: "a whole number from 0 to \(Int(SettingValue.maximumSeed))"
      }
    }

    /// Whether its numbers are whole, seeds and output vocabularies aside.
    var isWhole: Bool {
      switch self {
      case .whole, .wholeOrNull: true
      case .decimal, .word, .flag, .vocabulary, .seed: false
      }
    }

    /// Whether {from, to, step} makes sense.
    var isCountable: Bool {
      switch self {
      case .whole, .decimal, .vocabulary, .wholeOrNull, .seed: true
      case .word, .flag: false
      }
    }
  }

  /// 2^53 − 1: exact in every JSON reader, in SQLite, and in a point's canonical text.
  static let maximumSeed = 9_007_199_254_740_991.0
  /// Beyond every limit of an experiment, and far from overflow.
  static let maximumWhole = 1e15

  /// As people write it and as settings are labelled: `1`, `0.3`, `add`, `true`, `null`, `p+1`.
  var label: String {
    switch self {
    case .number(let number): CanonicalJSON.shortest(number)
    case .word(let word): word
    case .flag(let flag): flag ? "true" : "false"
    case .absent: "null"
    case .modulusPlus(let more): more == 0 ? "p" : "p+\(more)"
    }
  }

  var json: CanonicalJSON {
    switch self {
    case .number(let number): .number(number)
    case .word(let word): .text(word)
    case .flag(let flag): .flag(flag)
    case .absent: .null
    case .modulusPlus: .text(label)
    }
  }

  /// Reads `node` as the value of `key`; `name` is how the sentence calls it ("weight_decay", "axis seed: a value").
  /// `forList` ends the sentence about a list that stands where one value belongs.
  static func read(
    _ node: YAMLTree, as kind: Kind, name: String, forList: String = ""
  ) throws(SweepFileProblem) -> SettingValue {
    func wrong(_ message: String) -> SweepFileProblem { SweepFileProblem(node.place, "\(name) \(message)") }
    switch node.content {
    case .list: throw wrong("takes one value, not a list\(forList)")
    case .mapping: throw wrong("takes one value, not a mapping\(forList)")
    case .scalar(let text, let quoted):
      if case .word(let words) = kind, words.contains(text) { return .word(text) }
      if node.isNull {
        if case .wholeOrNull = kind, !text.isEmpty { return .absent }
        throw wrong("has no value; it must be \(kind.expectation)")
      }
      if quoted, case .word = kind { return try read(text, as: kind, wrong: wrong) }
      if quoted {
        let unquotedFits = (try? read(text, as: kind, wrong: wrong)) != nil
        throw wrong(
          "must be \(kind.expectation), not the text \(SweepText.quoted(text))"
            + (unquotedFits ? "; remove the quotes" : ""))
      }
      return try read(text, as: kind, wrong: wrong)
    }
  }

  private static func read(
    _ text: String, as kind: Kind, wrong: (String) -> SweepFileProblem
  ) throws(SweepFileProblem) -> SettingValue {
    let shown =
      ExactDecimal.isNumber(text) || text == "true" || text == "false" ? SweepText.shown(text) : SweepText.quoted(text)
    let mismatch = "must be \(kind.expectation), not \(shown)"
    switch kind {
    case .word(let words):
      let hint = SweepText.nearest(to: text, among: words).map { "; did you mean \($0)?" } ?? ""
      throw wrong(mismatch + hint)
    case .flag:
      switch text {
      case "true", "True", "TRUE": return .flag(true)
      case "false", "False", "FALSE": return .flag(false)
      default: throw wrong(mismatch)
      }
    case .vocabulary:
      if text == "p" { return .modulusPlus(0) }
      if text.filter({ $0 != " " }) == "p+1" { return .modulusPlus(1) }
    case .whole, .decimal, .wholeOrNull, .seed: break
    }
    guard ExactDecimal.isNumber(text) else { throw wrong(mismatch) }
    guard let number = Double(text), number.isFinite, number.magnitude <= 1e300 else {
      throw wrong("\(shown) is too large")
    }
    // Down there every number is a slip, and arithmetic with it is no longer exact to the last bit.
    if ExactDecimal.isNonzero(text), number.magnitude < 1e-300 {
      throw wrong("\(shown) is too small to be told from 0")
    }
    if kind == .decimal { return .number(number + 0) }
    guard number == number.rounded() else { throw wrong(mismatch) }
    if kind == .seed {
      guard (0...maximumSeed).contains(number) else {
        throw wrong("\(shown) is impossible; it must be \(kind.expectation)")
      }
    } else if number.magnitude > maximumWhole {
      throw wrong("\(shown) is too large")
    }
    return .number(number + 0)
  }
}
