// A walltime as Slurm writes it. Accepts what sbatch's --time accepts, and nothing else: what Slurm would read
// differently must not be taken for something here.

/// Whole seconds of an allocation, and how sbatch was told.
package struct SlurmTime: Hashable, Sendable {
  /// As it was given.
  package let text: String
  package let seconds: Int

  /// `minutes`, `minutes:seconds`, `hours:minutes:seconds`, `days-hours`, `days-hours:minutes` or
  /// `days-hours:minutes:seconds`.
  package init(_ text: String) throws(SlurmError) {
    let malformed = SlurmError.usage(
      "--time \(text): write it as sbatch wants it: MINUTES, HOURS:MINUTES:SECONDS or DAYS-HOURS:MINUTES:SECONDS, "
        + "such as 8:00:00 for eight hours")
    let halves = text.split(separator: "-", omittingEmptySubsequences: false)
    let parts = halves[halves.count - 1].split(separator: ":", omittingEmptySubsequences: false).map(Self.number)
    let days = halves.count == 2 ? Self.number(halves[0]) : 0
    guard halves.count <= 2, let days, (1...3).contains(parts.count), !parts.contains(nil) else { throw malformed }
    // After days the first number is hours; without, one number is minutes and two are minutes and seconds.
    let units = halves.count == 2 ? [3600, 60, 1] : parts.count == 3 ? [3600, 60, 1] : [60, 1]
    let seconds = zip(parts, units).reduce(days * 86_400) { $0 + $1.0! * $1.1 }
    guard (60...366 * 86_400).contains(seconds) else {
      throw .usage("--time \(text): Slurm's least is a minute, and more than a year is no walltime")
    }
    self.text = text
    self.seconds = seconds
  }

  /// At most 9 digits, so that no sum overflows.
  private static func number(_ text: Substring) -> Int? {
    (1...9).contains(text.utf8.count) && text.utf8.allSatisfy { (48...57).contains($0) } ? Int(text) : nil
  }
}
