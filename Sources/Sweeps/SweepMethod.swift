// How the axes of a block become points. A method that is added gets a case here, its own keys in `SweepDraft`, and its
// expansion in `SweepBlock`.

/// `method:` of a sweep file.
enum SweepMethod: String, CaseIterable, Sendable {
  /// Every combination; the default.
  case grid
  /// `points` independent samples.
  case random
  /// The first `points` of a scrambled Sobol' sequence.
  case sobol

  /// Whether `points` samples are drawn, which distributions as axes need.
  var isSampled: Bool { self != .grid }

  static func read(_ text: String, at place: SweepFilePlace) throws(SweepFileProblem) -> SweepMethod {
    if let method = SweepMethod(rawValue: text) { return method }
    let names = allCases.map(\.rawValue)
    let hint = SweepText.nearest(to: text, among: names).map { "did you mean \($0)?" }
    throw SweepFileProblem(
      place, "unknown method \(SweepText.quoted(text)); \(hint ?? "there are \(names.joined(separator: ", "))")")
  }
}

/// What a sampled block draws: sample `index` of axis `dimension` is a pure function of these.
struct Sampling: Sendable {
  let method: SweepMethod
  /// At least 1.
  let points: Int
  /// `sampling_seed`.
  let seed: UInt64
  /// By axis: its dimension and what its key makes of the seed; nil for axes that are crossed with the samples.
  let dimensions: [Dimension?]

  struct Dimension: Sendable {
    let number: Int
    let seed: UInt64
  }

  /// Axes get their dimensions in the order of their names, so that the order of a file's keys changes no sample.
  init(method: SweepMethod, points: Int, seed: UInt64, axes: [SweepAxis]) {
    self.method = method
    self.points = points
    self.seed = seed
    let names = axes.map { $0.keys.map(\.path).sorted().joined(separator: ",") }
    var dimensions: [Dimension?] = axes.map { _ in nil }
    for (number, axis) in Self.sampledAxes(axes).sorted(by: { names[$0] < names[$1] }).enumerated() {
      dimensions[axis] = Dimension(number: number, seed: SampleChance.seed(seed, name: names[axis]))
    }
    self.dimensions = dimensions
  }

  /// Seeds are crossed with the samples; everything else is sampled.
  static func sampledAxes(_ axes: [SweepAxis]) -> [Int] { axes.indices.filter { !axes[$0].isSeed } }

  /// A fraction of 2^32.
  func fraction(of dimension: Dimension, sample: Int) -> UInt32 {
    method == .sobol
      ? SobolSequence.scrambled(
        SobolSequence.fraction(UInt32(sample), dimension: dimension.number), seed: dimension.seed)
      : SampleChance.fraction(sample, seed: dimension.seed)
  }
}
