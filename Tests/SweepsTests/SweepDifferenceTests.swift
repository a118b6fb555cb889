// What differs between a sweep that was started and its file now.

import Sweeps
import Testing

@Suite struct SweepDifferenceTests {
  private let before = """
    sweep: base
    training: {weight_decay: 1}
    axes:
      task.train_fraction: [0.3, 0.4]
      seed: {count: 3}
    """

  private func differences(_ text: String) throws -> [String] {
    let old = try SweepFile(text: before, fileName: "x")
    return try SweepFile(text: text, fileName: "x").differences(from: old.canonical)
  }

  @Test func `comments, key order, number forms and ways to write an axis change nothing`() throws {
    let same = """
      # Why this is swept.
      preset: paper
      axes:
        seed: [2, 1, 0]
        task.train_fraction: {from: 0.3, to: 0.40, step: 1e-1}
      training:
        weight_decay: 1.0   # as in the paper
      method: grid
      sweep: base
      """
    #expect(try differences(same) == [])
    let old = try SweepFile(text: before, fileName: "x")
    let new = try SweepFile(text: same, fileName: "y")
    #expect(old.canonical == new.canonical)
    #expect(Set(old.points.map(\.id)) == Set(new.points.map(\.id)))
  }

  @Test func `fixed values, axes and names are compared in sentences`() throws {
    let changed = """
      sweep: other
      training: {weight_decay: 2, epochs: 10}
      stop: {after_grokking: 5}
      axes:
        task.train_fraction: [0.3, 0.5]
        model_seed: [1, 2]
      """
    #expect(
      try differences(changed) == [
        "sweep: was base, is other", "axis task.train_fraction: 0.3, 0.4 → 0.3, 0.5",
        "training.epochs: was 40000, is 10", "training.weight_decay: was 1, is 2",
        "stop.after_grokking: was null, is 5", "axis seed: was 0, 1, 2, is gone", "axis model_seed: is new: 1, 2",
        "data_seed: is 0",
      ])
    #expect(
      try differences(
        "{sweep: base, task: {train_fraction: 0.3}, axes: {training.weight_decay: [1, 2], seed: {count: 3}}}")
        == [
          "axis task.train_fraction: was 0.3, 0.4, is fixed at 0.3",
          "axis training.weight_decay: was fixed at 1, is 1, 2",
        ])
  }

  @Test func `long axes are compared by what came and went`() throws {
    let old = try SweepFile(text: "{sweep: s, axes: {seed: {count: 100}}}", fileName: "x")
    let new = try SweepFile(text: "{sweep: s, axes: {seed: {count: 120, from: 1}}}", fileName: "x")
    #expect(
      new.differences(from: old.canonical) == [
        "axis seed: added 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, …, 120 (21 values); removed 0 "
          + "(100 → 120 values)"
      ])
  }

  @Test func `a description that cannot be read is said to be so`() throws {
    let file = try SweepFile(text: before, fileName: "x")
    for broken in ["", "{", "[]", "{}", "null"] {
      #expect(
        file.differences(from: broken) == ["the earlier description cannot be read, so what differs is unknown"])
    }
  }
}
