// What `doctor` prints: a line for each check, with what to fix below it where there is something. Lays out text only.

import Sweeps

package enum DoctorPage {
  private static let width = DoctorCheck.Subject.allCases.map { $0.title.count }.max()!

  package static func line(_ check: DoctorCheck) -> String {
    let (word, says, fix): (String, String, String?) =
      switch check.outcome {
      case .ok(let says): ("ok", says, nil)
      case .warning(let says, let fix): ("warning", says, fix)
      case .problem(let says, let fix): ("PROBLEM", says, fix)
      case .skipped(let says): ("–", says, nil)
      }
    let title = check.subject.title
    let start = word + String(repeating: " ", count: 9 - word.count) + title
    let line = start + String(repeating: " ", count: width + 2 - title.count) + says
    return fix.map { "\(line)\n\(String(repeating: " ", count: width + 11))→ \($0)" } ?? line
  }

  /// The last line.
  package static func sentence(_ diagnosis: Diagnosis) -> String {
    let warnings = Wording.count(diagnosis.warnings, "warning")
    if diagnosis.problems == 0 {
      return diagnosis.warnings == 0 ? "All is well." : "No problems; \(warnings)."
    }
    return "\(Wording.count(diagnosis.problems, "problem"))" + (diagnosis.warnings > 0 ? ", \(warnings)." : ".")
  }
}

extension DoctorCheck.Subject {
  fileprivate var title: String {
    switch self {
    case .kernels: "kernels"
    case .selfTest: "self-test"
    case .clock: "clock"
    case .cores: "cores"
    case .memory: "memory"
    case .openFiles: "open files"
    case .scratch: "scratch"
    case .store: "store"
    case .joinFile: "join file"
    case .address: "address"
    case .name: "name"
    case .port: "port"
    case .zeroMQ: "ZeroMQ"
    case .key: "key"
    case .versions: "versions"
    }
  }
}
