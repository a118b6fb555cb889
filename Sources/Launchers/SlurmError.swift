// What can go wrong between here and Slurm, each as a sentence that says what to do.

package enum SlurmError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Options that make no job.
  case usage(String)
  /// Slurm's command is not on this machine.
  case missing(command: String)
  /// Slurm's command said no, in these words of its own.
  case refused(command: String, words: String)
  /// Autoscaling has no reason to believe that going on would help.
  case gaveUp(String)
  /// Nobody says any more what is left to do.
  case unreachable(String)

  package var description: String {
    switch self {
    case .usage(let words), .gaveUp(let words), .unreachable(let words): words
    case .missing(let command):
      "there is no \(command) on this machine; run this on a login node of the cluster, or print the job with --dry-run "
        + "and carry it there"
    case .refused(let command, let words):
      "Slurm refuses (\(command)): \(words.isEmpty ? "it said nothing" : words)"
    }
  }
}
