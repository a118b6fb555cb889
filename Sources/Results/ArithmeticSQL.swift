// Logarithms, exponentials and roots in plain SQL.
//
// SQLite has them only where it was built with SQLITE_ENABLE_MATH_FUNCTIONS, and a view that called them would be of no
// use in the shells, Pythons and browsers that were not. So a store carries a table of logarithms, as books once did:
// four numbers an octave, and a series from the nearest one below. The same bits on every machine, with an error of a few
// units in the last place (Tests/ResultsTests/ArithmeticTests.swift).
//
// Views of released schemas are made of these texts: never edited.

package enum ArithmeticSQL {
  /// Numbers from 2⁻⁶⁴ to below 2⁴⁰, each with its logarithm; and quantiles of Student's distribution.
  package static let tables = """
    CREATE TABLE logarithm (
      x REAL PRIMARY KEY CHECK (x > 0),
      ln REAL NOT NULL UNIQUE
    ) STRICT, WITHOUT ROWID;
    WITH RECURSIVE
      upward (power, x) AS (SELECT 0, 1.0 UNION ALL SELECT power + 1, x * 2 FROM upward WHERE power < 39),
      downward (power, x) AS (SELECT -1, 0.5 UNION ALL SELECT power - 1, x / 2 FROM downward WHERE power > -64),
      step (factor, ln) AS (
        VALUES (1.0, 0.0), (1.25, 0.22314355131420976), (1.5, 0.4054651081081644), (1.75, 0.5596157879354227))
    INSERT INTO logarithm (x, ln)
      SELECT octave.x * step.factor AS x, octave.power * \(ln2) + step.ln
      FROM (SELECT * FROM upward UNION ALL SELECT * FROM downward) AS octave CROSS JOIN step
      ORDER BY x;

    -- Half of a 95 % interval, in standard errors, by degrees of freedom; beyond 30 there is a series.
    CREATE TABLE student (
      freedom INTEGER PRIMARY KEY CHECK (freedom > 0),
      quantile REAL NOT NULL
    ) STRICT;
    INSERT INTO student (freedom, quantile) VALUES
      (1, 12.7062047361747), (2, 4.30265272974946), (3, 3.18244630528371), (4, 2.77644510519779), (5, 2.57058183563631),
      (6, 2.44691185114498), (7, 2.36462425159278), (8, 2.30600413520417), (9, 2.2621571627982), (10, 2.22813885198627),
      (11, 2.20098516009164), (12, 2.17881282966723), (13, 2.16036865646279), (14, 2.1447866879178),
      (15, 2.13144954555978), (16, 2.11990529922125), (17, 2.10981557783332), (18, 2.10092204024104),
      (19, 2.09302405440831), (20, 2.08596344726586), (21, 2.07961384472768), (22, 2.07387306790403),
      (23, 2.06865761041905), (24, 2.06389856162802), (25, 2.0595385527533), (26, 2.05552943864287),
      (27, 2.05183051648028), (28, 2.04840714179525), (29, 2.0452296421327), (30, 2.04227245630124);

    """

  static let ln2 = "0.6931471805599453"
  /// log₁₀ x = log₁₀ e · ln x.
  static let log10e = "0.4342944819032518"
  /// The 97.5 % quantile of the normal distribution.
  static let normalQuantile = "1.959963984540054"

  /// ln of an expression; NULL unless it lies between the table's ends.
  ///
  /// ln v = ln x + 2 artanh u with u = (v − x) / (v + x), which is at most 1/9.
  package static func ln(_ value: String) -> String {
    """
    (SELECT ln + \(doubledArtanh("u")) FROM (
      SELECT ln, (\(value) - x) / (\(value) + x) AS u FROM logarithm WHERE x <= \(value) ORDER BY x DESC LIMIT 1))
    """
  }

  /// ln (1 − part / whole) of integers, 0 < part < whole; NULL where they are equal. Without the table for small parts,
  /// which most are.
  package static func lnOfRest(_ part: String, of whole: String) -> String {
    """
    CASE
      WHEN \(part) = \(whole) THEN NULL
      WHEN 5 * \(part) <= \(whole) THEN -(\(doubledArtanh("(\(part) / (2.0 * \(whole) - \(part)))")))
      ELSE \(ln("(1.0 * (\(whole) - \(part)) / \(whole))"))
    END
    """
  }

  /// e to the power of an expression.
  package static func exp(_ value: String) -> String {
    // Twelve terms of r ≤ ln 1.25.
    let factors = (1...11).reduce(into: [1.0]) { $0.append($0[$1 - 1] / Double($1)) }
    return """
      (SELECT x * \(polynomial(factors, in: "r")) FROM (
        SELECT x, \(value) - ln AS r FROM logarithm WHERE ln <= \(value) ORDER BY ln DESC LIMIT 1))
      """
  }

  /// The square root of an expression that is 0 or more; 0 for what is below the table.
  package static func root(_ value: String) -> String {
    "CASE WHEN \(value) >= 0 THEN coalesce(\(exp("0.5 * \(ln(value))")), 0.0) END"
  }

  /// The 97.5 % quantile of Student's distribution: from the table, and beyond it by Cornish and Fisher's series, whose
  /// error is below 10⁻⁷ there.
  package static func studentQuantile(_ freedom: String) -> String {
    """
    coalesce((SELECT quantile FROM student WHERE student.freedom = \(freedom)),
      \(normalQuantile) + (2.372271230298562 + (2.8224986157396112 + (2.555849679507722 + 1.5895340533938225
        / \(freedom)) / \(freedom)) / \(freedom)) / \(freedom))
    """
  }

  /// 2 artanh u for |u| ≤ 1/9: nine terms, the next of which is below 10⁻¹⁷ of the sum.
  private static func doubledArtanh(_ u: String) -> String {
    "\(u) * \(polynomial((0..<9).map { 2 / Double(2 * $0 + 1) }, in: "\(u) * \(u)"))"
  }

  /// Σ cₖ wᵏ, the first half of the terms and the second bracketed by themselves: SQLite's parser has a stack of a
  /// hundred, which Horner's brackets would overflow.
  private static func polynomial(_ coefficients: [Double], in w: String) -> String {
    guard coefficients.count > 3 else {
      let terms = coefficients.enumerated().map { place, coefficient in
        ([String(coefficient)] + Array(repeating: w, count: place)).joined(separator: " * ")
      }
      return "(\(terms.joined(separator: " + ")))"
    }
    let half = coefficients.count / 2
    let power = Array(repeating: w, count: half).joined(separator: " * ")
    let (low, high) = (Array(coefficients[..<half]), Array(coefficients[half...]))
    return "(\(polynomial(low, in: w)) + \(power) * \(polynomial(high, in: w)))"
  }
}
