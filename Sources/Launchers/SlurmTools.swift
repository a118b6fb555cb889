// Slurm's own commands: sbatch, squeue and scancel, started as a person would start them, their words passed on. Knows
// what they print; decides nothing.

import Foundation

/// One array task in the queue.
package struct SlurmTask: Hashable, Sendable {
  package enum State: Hashable, Sendable {
    /// Waits for an allocation, the first time or after it was requeued.
    case pending
    /// Has one, or is about to.
    case running
    /// Ends at this moment.
    case leaving
  }

  /// As scancel wants it: `1234_5`.
  package var id: String
  package var state: State
  /// On which it runs.
  package var node: String?

  package init(id: String, state: State, node: String? = nil) {
    self.id = id
    self.state = state
    self.node = node
  }
}

package struct SlurmTools: Sendable {
  private let sbatch: String
  private let squeue: String
  private let scancel: String

  /// - Throws: `SlurmError.missing` when one of them is nowhere in `PATH`.
  package init(searching path: String = ProcessInfo.processInfo.environment["PATH"] ?? "") throws(SlurmError) {
    func find(_ command: String) throws(SlurmError) -> String {
      for folder in path.split(separator: ":") {
        let file = "\(folder)/\(command)"
        if access(file, X_OK) == 0 { return file }
      }
      throw .missing(command: command)
    }
    sbatch = try find("sbatch")
    squeue = try find("squeue")
    scancel = try find("scancel")
  }

  /// Returns the number of the job.
  package func submit(_ script: String) throws(SlurmError) -> String {
    let file = FileManager.default.temporaryDirectory.appending(path: "groksweep-\(UUID().uuidString).sbatch")
    do { try Data(script.utf8).write(to: file) } catch {
      throw .refused(command: "sbatch", words: "the script cannot be written as \(file.path)")
    }
    // Slurm has a copy of its own as soon as it has answered.
    defer { try? FileManager.default.removeItem(at: file) }
    let words = try run("sbatch", sbatch, ["--parsable", file.path])
    // "1234", or "1234;cluster" in a federation.
    let number = words.split(whereSeparator: { $0 == ";" || $0.isNewline }).first.map(String.init) ?? ""
    guard !number.isEmpty, number.utf8.allSatisfy({ (48...57).contains($0) }) else {
      throw .refused(command: "sbatch", words: "it gave no number of a job, but: \(words)")
    }
    return number
  }

  /// This user's tasks of jobs of that name, in the order of the queue's numbers.
  package func tasks(named name: String) throws(SlurmError) -> [SlurmTask] {
    let user = NSUserName()
    let words = try run(
      "squeue", squeue,
      ["--noheader", "--array", "--user", user, "--name", name, "--sort=i", "--format=%i|%t|%N"])
    return Self.tasks(ofQueue: words)
  }

  /// Of lines `1234_5|R|node7`; states by Slurm's short names. Those that have ended are left out.
  package static func tasks(ofQueue text: String) -> [SlurmTask] {
    text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: "|", omittingEmptySubsequences: false)
        .map { $0.trimmingCharacters(in: .whitespaces) }
      guard fields.count == 3, !fields[0].isEmpty else { return nil }
      let state: SlurmTask.State
      switch fields[1] {
      case "PD", "RQ", "RH", "RF", "SE": state = .pending
      case "R", "CF", "S", "ST", "RS", "SI", "SO": state = .running
      case "CG": state = .leaving
      default: return nil
      }
      return SlurmTask(id: fields[0], state: state, node: fields[2].isEmpty ? nil : fields[2])
    }
  }

  /// For tasks that wait: they never start.
  package func cancel(_ tasks: [String]) throws(SlurmError) {
    guard !tasks.isEmpty else { return }
    _ = try run("scancel", scancel, ["--quiet", "--state=PENDING"] + tasks)
  }

  /// For tasks that run: SIGTERM to the worker alone, which hands its points back and ends.
  package func askToLeave(_ tasks: [String]) throws(SlurmError) {
    guard !tasks.isEmpty else { return }
    _ = try run("scancel", scancel, ["--quiet", "--signal=TERM", "--batch"] + tasks)
  }

  /// What it prints.
  private func run(
    _ command: String, _ executable: String, _ arguments: [String]
  ) throws(SlurmError) -> String {
    let process = Process()
    let (output, errors) = (Pipe(), Pipe())
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = errors
    do { try process.run() } catch {
      throw .refused(command: command, words: "\(executable) cannot be started: \(error.localizedDescription)")
    }
    // One after the other: what these commands complain of is far less than a pipe holds.
    let said = output.fileHandleForReading.readDataToEndOfFile()
    let complained = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      let words = complained.split(separator: "\n").joined(separator: "; ")
      throw .refused(
        command: command, words: words.isEmpty ? "it ended with code \(process.terminationStatus)" : words)
    }
    return String(decoding: said, as: UTF8.self)
  }
}
