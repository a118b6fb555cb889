// What a look at a machine, its way to a coordinator and its disks came to, one check after the other: values only, for the
// page that prints them and for --json.

/// One thing that was looked at, and what came of it.
package struct DoctorCheck: Hashable, Sendable {
  package enum Subject: String, Hashable, Sendable, CaseIterable {
    case kernels
    case selfTest = "self_test"
    case clock, cores, memory
    case openFiles = "open_files"
    case scratch, store
    case joinFile = "join_file"
    case address, name, port
    case zeroMQ = "zeromq"
    case key, versions
  }

  package enum Outcome: Hashable, Sendable {
    case ok(String)
    /// Works, but not as well as it could, or not for long.
    case warning(String, fix: String)
    /// Does not work.
    case problem(String, fix: String)
    /// Not looked at, and why not.
    case skipped(String)
  }

  package let subject: Subject
  package let outcome: Outcome

  package init(_ subject: Subject, _ outcome: Outcome) {
    self.subject = subject
    self.outcome = outcome
  }

  package var isProblem: Bool { if case .problem = outcome { true } else { false } }
}

/// In the order in which they were made.
package struct Diagnosis: Hashable, Sendable, Encodable {
  package var checks: [DoctorCheck]

  package init(_ checks: [DoctorCheck]) { self.checks = checks }

  package var problems: Int { checks.count(where: \.isProblem) }
  package var warnings: Int { checks.count { if case .warning = $0.outcome { true } else { false } } }

  private enum CodingKeys: String, CodingKey {
    case checks, problems, warnings
  }

  package func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(checks, forKey: .checks)
    try fields.encode(problems, forKey: .problems)
    try fields.encode(warnings, forKey: .warnings)
  }
}

extension DoctorCheck: Encodable {
  private enum CodingKeys: String, CodingKey {
    case check, outcome, says, fix
  }

  package func encode(to encoder: any Encoder) throws {
    let (name, says, fix): (String, String, String?) =
      switch outcome {
      case .ok(let words): ("ok", words, nil)
      case .warning(let words, let fix): ("warning", words, fix)
      case .problem(let words, let fix): ("problem", words, fix)
      case .skipped(let words): ("skipped", words, nil)
      }
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(subject.rawValue, forKey: .check)
    try fields.encode(name, forKey: .outcome)
    try fields.encode(says, forKey: .says)
    try fields.encodeIfPresent(fix, forKey: .fix)
  }
}
