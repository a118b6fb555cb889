// A batch job whose array tasks are long-lived workers: which resources, and the script that sbatch is given.
//
// A task becomes its worker by `exec`, so that the signal before the end of the allocation (`--signal=B:`) reaches the
// supervisor of the worker processes itself, once, and nothing in between has to pass it on. The task keeps no state of
// its own: when Slurm requeues it, it starts anew, and the coordinator hands out the checkpoint that it keeps.

import Sweeps

package struct SlurmJob: Hashable, Sendable {
  /// Also how autoscaling knows its own jobs.
  package var name = "groksweep"
  package var time: SlurmTime
  /// Seconds before the end of the allocation at which the worker processes hand back; nil: two minutes, or a quarter of
  /// a short walltime.
  package var marginSeconds: Int?
  /// Cores of one allocation, with a worker process each.
  package var cpusPerTask = 1
  package var partition: String?
  package var account: String?
  package var qos: String?
  /// Of one allocation.
  package var memory: String?
  /// Handed to sbatch as they are.
  package var sbatchOptions: [String] = []
  /// Where Slurm writes what the workers say; absolute.
  package var logs: String
  /// Of the program, on the nodes; absolute.
  package var program: String
  package var connect: String?
  /// The workers' join file, on the nodes; absolute.
  package var join: String?
  package var isInsecure = false
  /// A folder on the nodes, in which every node gets one of its own; `$NAME` and `${NAME}` stand for variables of the
  /// node's environment.
  package var scratch = "${TMPDIR:-/tmp}/groksweep-${SLURM_JOB_USER:-$USER}"
  package var checkpointSeconds: Double?

  package init(time: SlurmTime, logs: String, program: String) {
    self.time = time
    self.logs = logs
    self.program = program
  }

  /// Two minutes are enough for a checkpoint, its journey and every receipt (75 s at most), and for Slurm, which may send its
  /// signal a minute early, never late.
  package static let usualMarginSeconds = 120

  package var margin: Int { marginSeconds ?? min(Self.usualMarginSeconds, time.seconds / 4) }

  /// Array tasks that hold `workers` worker processes.
  package func tasks(forWorkers workers: Int) -> Int { (workers + cpusPerTask - 1) / cpusPerTask }

  /// The script, for an array of `tasks`.
  ///
  /// - Throws: `SlurmError.usage` for what would not be one job.
  package func script(tasks: Int) throws(SlurmError) -> String {
    try check()
    var options: [(String, String?)] = [
      ("job-name", name), ("array", "1-\(tasks)"), ("nodes", "1"), ("ntasks", "1"),
      ("cpus-per-task", "\(cpusPerTask)"), ("time", time.text), ("partition", partition), ("account", account),
      ("qos", qos), ("mem", memory),
    ]
    options += [
      ("signal", "B:TERM@\(margin)"), ("requeue", ""), ("open-mode", "append"), ("output", "\(logs)/%x-%A_%a.log"),
    ]
    let lines =
      options.compactMap { name, value in
        value.map { $0.isEmpty ? "#SBATCH --\(name)" : "#SBATCH --\(name)=\(Self.quotedForSbatch($0))" }
      } + sbatchOptions.map { "#SBATCH \($0)" }
    return """
      #!/bin/bash
      # Workers of groksweep: each array task is one allocation with \(cpusPerTask) of them.
      \(lines.joined(separator: "\n"))
      set -eu
      umask 077

      # A folder for each node, whatever disk that is on: locks hold between processes, not always between machines.
      node=${SLURMD_NODENAME:-$(uname -n)}
      parent=\(scratchWord)
      scratch=$parent/$node
      mkdir -p -- "$scratch"
      # Whoever owns a folder may put others in the place of those in it, unless it is sticky, as /tmp is.
      if [ ! -O "$scratch" ] || [ -L "$scratch" ] || [ -L "$parent" ] || ! { [ -O "$parent" ] || [ -k "$parent" ]; }; then
        echo "$scratch belongs to somebody else; name another folder with --scratch" >&2
        exit 1
      fi

      # Seconds that are left: newer versions of Slurm say when the allocation ends, which may be before --time.
      left=\(time.seconds)
      if [ -n "${SLURM_JOB_END_TIME:-}" ]; then
        until_end=$((SLURM_JOB_END_TIME - $(date +%s)))
        [ "$until_end" -ge "$left" ] || left=$until_end
      fi
      left=$((left - \(margin)))
      [ "$left" -ge 1 ] || left=1

      echo "$(date -u +%FT%TZ) job ${SLURM_JOB_ID:-?}, start ${SLURM_RESTART_COUNT:-0}, on $node, for $left s" >&2
      # In place of this shell: the signal before the end of the allocation goes to the worker.
      exec \(ShellWords.line(workerWords)) --deadline "${left}s" --scratch "$scratch"

      """
  }

  private var workerWords: [String] {
    var words = [program, "worker", "--slots", "\(cpusPerTask)"]
    if let connect { words += ["--connect", connect] }
    if let join { words += ["--join", join] }
    if isInsecure { words.append("--insecure") }
    if let checkpointSeconds { words += ["--checkpoint-seconds", "\(checkpointSeconds)"] }
    return words
  }

  /// In double quotes: variables are the node's, all else is taken as it is.
  private var scratchWord: String {
    var word = "\""
    var rest = Substring(scratch)
    while let character = rest.first {
      if let variable = rest.prefixMatch(of: /\$(?:\w+|\{\w+(?::-[\w.\/$]*)?\})/) {
        word += variable.output
        rest = rest[variable.range.upperBound...]
        continue
      }
      if #""\$`"#.contains(character) { word += "\\" }
      word.append(character)
      rest.removeFirst()
    }
    return word + "\""
  }

  /// As sbatch reads the lines in the script: quotes as in a shell, but double ones only.
  private static func quotedForSbatch(_ value: String) -> String {
    let isPlain = value.utf8.allSatisfy { byte in
      (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        || "-_./:=@%+,~[]*&|".utf8.contains(byte)
    }
    if isPlain { return value }
    return "\"" + value.replacing("\\", with: #"\\"#).replacing("\"", with: #"\""#) + "\""
  }

  private func check() throws(SlurmError) {
    let texts: [(String, String?)] =
      [
        ("--name", name), ("--partition", partition), ("--account", account), ("--qos", qos), ("--mem", memory),
        ("--logs", logs), ("--scratch", scratch), ("--groksweep", program), ("--join", join), ("--connect", connect),
      ] + sbatchOptions.map { ("--sbatch-option", $0) }
    for (option, text) in texts {
      guard let text else { continue }
      if text.isEmpty { throw .usage("\(option) is empty; give it a value or leave it out") }
      if text.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 }) {
        throw .usage("\(option): has a line break or another control character in it, which would end its line")
      }
    }
    if name.contains(",") || name.contains("/") || name.contains("%") {
      throw .usage("--name \(name): squeue and file names need one without a comma, a slash and a percent sign")
    }
    for option in sbatchOptions where !option.hasPrefix("-") {
      throw .usage("--sbatch-option \(option): is no option; write it as for sbatch, as in '--constraint=zen4'")
    }
    guard (1...1024).contains(cpusPerTask) else {
      throw .usage("--cpus-per-task \(cpusPerTask): give a number from 1 to 1024")
    }
    guard (1..<time.seconds).contains(margin) else {
      throw .usage("--margin \(margin): has to be at least a second and shorter than --time \(time.text)")
    }
  }
}
