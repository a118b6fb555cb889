// A reproduction as `groksweep reproduce` prints it: a table for people, one JSON object for programs.

import Sweeps

extension Reproduction {
  /// The table, what it was compared with, and the result in a sentence.
  package var text: String {
    var table = TextTable([
      ("what", .left), ("published", .right), ("ours", .right), ("from", .right), ("to", .right), ("runs", .right),
      ("verdict", .left),
    ])
    for row in rows {
      let published = row.published
      let words = [published.what, published.conditions.words].filter { !$0.isEmpty }
      table.append(
        [words.joined(separator: ", "), published.claimWords] + row.oursWords + [
          row.ours.count == row.points ? "\(row.points)" : "\(row.ours.count) of \(row.points)",
          row.verdict.rawValue + (published.shouldHold ? "" : " (need not hold)"),
        ])
    }
    return [table.text, legend, conclusion].joined(separator: "\n\n")
  }

  /// What the columns and the verdicts mean, and where the numbers were published.
  private var legend: String {
    let lines = [
      "ours: the median of our runs, which go from … to …",
      "reproduced: the published number lies in that range, or within a factor of \(Verdict.closeFactor) of the median",
      "within seed spread: it lies outside by no more than the range's own ratio, or than another seed may be off",
      "published in:",
    ]
    return (lines + sources.map { "  \($0.text)" }).joined(separator: "\n")
  }

  /// `paper: 4 of 4 rows that should hold do.`
  package var conclusion: String {
    let required = rows.filter(\.published.shouldHold)
    let kept = required.count { !$0.fails }
    var sentences = [
      "\(target.rawValue): \(kept) of \(Wording.count(required.count, "row")) that should hold \(kept == 1 ? "does" : "do")."
    ]
    if finished < points {
      sentences.append("\(finished) of \(Wording.count(points, "point")) have a result, \(failed) failed.")
    }
    if leftOut > 0 { sentences.append("\(Wording.count(leftOut, "row")) left out by --only.") }
    return sentences.joined(separator: " ")
  }
}

extension PublishedRow {
  /// `157`, `about 950`, `yes`.
  fileprivate var claimWords: String {
    switch claim {
    case .happens(let happens): happens ? "yes" : "no"
    case .number(let range): words ?? measure.words(range.lowerBound)
    }
  }
}

extension PublishedRow.Measure {
  fileprivate func words(_ value: Double) -> String {
    switch self {
    case .groks, .grokkingEpoch, .testLossUnder0_1, .keyFrequencyCount, .sumSquaredWeights:
      Wording.grouped(Int(value.rounded()))
    case .loss, .restrictedRatio: Wording.loss(value)
    }
  }
}

extension Reproduction.Row {
  /// Median, least and greatest; `> 40,000` where a run ended without crossing.
  fileprivate var oursWords: [String] {
    if published.measure == .groks {
      return [ours.count == 0 ? "–" : "\(ours.values.count) of \(ours.count)", "", ""]
    }
    func word(_ value: Double) -> String { published.measure.words(value) }
    guard let first = ours.values.first ?? ours.censored.first else { return ["–", "–", "–"] }
    let beyond = ours.censored.last.map { "> \(word($0))" }
    let least = ours.values.isEmpty ? "> \(word(first))" : word(first)
    return [ours.median.map(word) ?? beyond ?? "–", least, beyond ?? ours.values.last.map(word) ?? "–"]
  }
}

extension Reproduction: Encodable {
  private enum CodingKeys: String, CodingKey {
    case target, sweeps, points, finished, failed, rows
    case leftOut = "left_out"
    case sources, holds
  }

  package func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: CodingKeys.self)
    try object.encode(target, forKey: .target)
    try object.encode(sweeps, forKey: .sweeps)
    try object.encode(points, forKey: .points)
    try object.encode(finished, forKey: .finished)
    try object.encode(failed, forKey: .failed)
    try object.encode(rows, forKey: .rows)
    try object.encode(leftOut, forKey: .leftOut)
    try object.encode(sources, forKey: .sources)
    try object.encode(holds, forKey: .holds)
  }
}

extension Reproduction.Row: Encodable {
  private enum CodingKeys: String, CodingKey {
    case what, measure
    case conditions = "where"
    case published, happens, source
    case shouldHold = "should_hold"
    case why, points, values
    case notCrossedBy = "not_crossed_by"
    case median, verdict, fails
  }

  package func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: CodingKeys.self)
    try object.encode(published.what, forKey: .what)
    try object.encode(published.measure, forKey: .measure)
    try object.encode(published.conditions, forKey: .conditions)
    switch published.claim {
    case .number(let range): try object.encode([range.lowerBound, range.upperBound], forKey: .published)
    case .happens(let happens): try object.encode(happens, forKey: .happens)
    }
    try object.encode(published.source, forKey: .source)
    try object.encode(published.shouldHold, forKey: .shouldHold)
    try object.encode(published.why, forKey: .why)
    try object.encode(points, forKey: .points)
    try object.encode(ours.values, forKey: .values)
    try object.encode(ours.censored, forKey: .notCrossedBy)
    try object.encodeIfPresent(ours.median, forKey: .median)
    try object.encode(verdict, forKey: .verdict)
    try object.encode(fails, forKey: .fails)
  }
}
