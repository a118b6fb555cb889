// Axes over several keys at once: `zip`, and lists of points, written in the sweep file or in a CSV file beside it. All
// are rows of values; they are crossed with the other axes as one axis is with another.

extension SweepAxis {
  /// `{model.d_model: [64, 128], model.d_mlp: [256, 512], when: {…}}`: first with first, second with second.
  static func readZip(_ node: YAMLTree, at place: SweepFilePlace) throws(SweepFileProblem) -> SweepAxis {
    guard case .mapping(let pairs) = node.content, !pairs.isEmpty else {
      throw SweepFileProblem(
        place,
        "zip is a mapping of keys to lists of one length, such as {model.d_model: [64, 128], model.d_mlp: [256, 512]}")
    }
    var columns: [SweepAxis] = []
    var condition: SweepCondition?
    for pair in pairs {
      let word = pair.key.text ?? ""
      if word == "when" {
        condition = try SweepCondition.read(pair.value, name: "when of zip")
        continue
      }
      guard let key = ExperimentKey.key(word) else {
        throw SweepFileProblem(
          pair.key.place, "unknown key \(SweepText.quoted(word)) in zip\(SweepDraft.hint(forPath: word))")
      }
      var column: SweepAxis
      if case .list(let items) = pair.value.content {
        // Here a value may stand twice.
        column = SweepAxis(
          keys: [key], domain: .rows(try list(items, key: key, at: pair.key.place)), place: pair.key.place)
      } else {
        column = try read(pair.value, key: key, at: pair.key.place)
      }
      guard let rows = column.rows else {
        throw SweepFileProblem(
          pair.key.place, "\(key.path) in zip is drawn by chance, so nothing can move with it; write a list or a range")
      }
      guard column.condition == nil, rows.conditions.isEmpty else {
        throw SweepFileProblem(
          pair.key.place, "\(key.path) in zip has a condition of its own; write one when for the zip")
      }
      columns.append(column)
    }
    guard let first = columns.first, columns.count > 1, let count = first.rows?.count else {
      throw SweepFileProblem(place, "zip needs two keys or more that move together; write a single one as an axis")
    }
    for column in columns.dropFirst() {
      guard let other = column.rows?.count, other != count else { continue }
      throw SweepFileProblem(
        column.place,
        "\(column.key.path) has \(other) \(other == 1 ? "value" : "values"), but \(first.key.path), with which it moves, has "
          + "\(count); give both as many")
    }
    return SweepAxis(
      keys: columns.map(\.key),
      domain: .rows(
        SweepRows(columns: columns.flatMap { $0.rows?.columns ?? [] }, places: first.rows?.places ?? .none)),
      condition: condition, place: place)
  }

  /// `points: [{training.weight_decay: 1, task.train_fraction: 0.3}, …]`; a key that a point leaves out keeps its fixed
  /// value there.
  static func readPoints(_ items: [YAMLTree], at place: SweepFilePlace) throws(SweepFileProblem) -> SweepAxis {
    if items.isEmpty {
      throw SweepFileProblem(place, "points is empty; list points such as {training.weight_decay: 1}, or remove it")
    }
    var keys: [ExperimentKey] = []
    var rows: [[(column: Int, value: SettingValue)]] = []
    for item in items {
      guard case .mapping(let pairs) = item.content, !pairs.isEmpty else {
        throw SweepFileProblem(
          item.place, "a point is a mapping of keys to values, such as {training.weight_decay: 1}")
      }
      var row: [(Int, SettingValue)] = []
      for pair in pairs {
        let word = pair.key.text ?? ""
        guard let key = ExperimentKey.key(word) else {
          throw SweepFileProblem(
            pair.key.place, "unknown key \(SweepText.quoted(word)) in points\(SweepDraft.hint(forPath: word))")
        }
        let column = keys.firstIndex { $0.path == word } ?? keys.count
        if column == keys.count { keys.append(key) }
        row.append((column, try SettingValue.read(pair.value, as: key.kind, name: "\(key.shortName) of a point")))
      }
      rows.append(row)
    }
    var columns = [[SettingValue?]](repeating: [SettingValue?](repeating: nil, count: rows.count), count: keys.count)
    for (index, row) in rows.enumerated() {
      for (column, value) in row { columns[column][index] = value }
    }
    return listed(keys, SweepRows(columns: columns, places: .listed(items.map(\.place))), at: place)
  }

  /// The points of a CSV file: the first line names the keys, every other one is a point. An empty cell leaves its key at
  /// the fixed value.
  static func readPoints(csv text: String, file: String, at place: SweepFilePlace) throws(SweepFileProblem) -> SweepAxis
  {
    var table = CSVTable(text, file: file)
    func here(_ line: Int) -> SweepFilePlace { .included(file: file, line: line) }
    guard let header = try table.next() else {
      throw SweepFileProblem(
        .included(file: file, line: nil), "is empty; its first line names keys, such as training.weight_decay,seed")
    }
    var keys: [ExperimentKey] = []
    for name in header.cells {
      guard let key = ExperimentKey.key(name) else {
        let separator = name.contains(where: { ";\t|".contains($0) }) ? "; columns are separated by commas" : nil
        throw SweepFileProblem(
          here(header.line),
          "unknown key \(SweepText.quoted(name)) in the header\(separator ?? SweepDraft.hint(forPath: name))")
      }
      if keys.contains(where: { $0.path == name }) {
        throw SweepFileProblem(here(header.line), "the header has \(name) twice; remove a column")
      }
      keys.append(key)
    }
    var columns = [[SettingValue?]](repeating: [], count: keys.count)
    var lines: [Int32] = []
    while let row = try table.next() {
      guard row.cells.count == keys.count else {
        throw SweepFileProblem(
          here(row.line),
          "has \(row.cells.count) \(row.cells.count == 1 ? "cell" : "cells"), but the header on line \(header.line) has \(keys.count); a cell may be empty, but "
            + "its comma may not be missing")
      }
      guard lines.count < maximumValues else {
        throw SweepFileProblem(
          here(row.line), "the file has more than \(maximumValues) points, which a sweep may have at most")
      }
      lines.append(Int32(row.line))
      for (column, key) in keys.enumerated() {
        let cell = row.cells[column]
        if cell.isEmpty {
          columns[column].append(nil)
          continue
        }
        let node = YAMLTree(content: .scalar(cell, quoted: false), place: here(row.line), size: 1)
        columns[column].append(try SettingValue.read(node, as: key.kind, name: key.path))
      }
    }
    if lines.isEmpty {
      throw SweepFileProblem(here(header.line), "is the only line; write a line for each point below it")
    }
    return listed(keys, SweepRows(columns: columns, places: .lines(lines, file: file)), at: place)
  }

  /// A point that occurs twice is one point.
  private static func listed(_ keys: [ExperimentKey], _ rows: SweepRows, at place: SweepFilePlace) -> SweepAxis {
    var rows = rows
    rows.collapseRepeats()
    return SweepAxis(keys: keys, domain: .rows(rows), place: place)
  }
}
