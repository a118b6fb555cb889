// A sweep file of given experiments: what they have in common is fixed, the rest is listed point by point.

import Grokking

package enum ListedSweep {
  /// A text that reads as the sweep `name` of these experiments, of which there is at least one.
  package static func text(_ name: String, _ experiments: [Experiment], comment: String) -> String {
    let keys = ExperimentKey.all.filter { $0.path != "seed" }
    func value(_ key: ExperimentKey, _ experiment: Experiment) -> String? { key.value(experiment)?.label }
    let (fixed, varied) = (
      keys.filter { key in experiments.allSatisfy { value(key, $0) == value(key, experiments[0]) } },
      keys.filter { key in experiments.contains { value(key, $0) != value(key, experiments[0]) } }
    )
    var lines = comment.split(separator: "\n").map { "# \($0)" } + ["sweep: \(name)"]
    var group: String?
    for key in fixed {
      guard let value = value(key, experiments[0]) else { continue }
      if let own = key.group, own != group { lines.append("\(own):") }
      group = key.group
      lines.append("\(group == nil ? "" : "  ")\(key.shortName): \(value)")
    }
    if !varied.isEmpty {
      lines.append("points:")
      for experiment in experiments {
        let values = varied.compactMap { key in value(key, experiment).map { "\(key.path): \($0)" } }
        lines.append("  - {\(values.joined(separator: ", "))}")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
