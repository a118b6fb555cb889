// Logarithms and roots of plain SQL against those of the C library.

import Foundation
import GRDB
import Results
import Testing

@Suite struct ArithmeticTests {
  private let queue: DatabaseQueue

  init() throws {
    queue = try DatabaseQueue()
    try queue.write { try $0.execute(sql: ArithmeticSQL.tables) }
  }

  /// The greatest |SQL − expected| / max(1, |expected|) over `values`.
  private func error(of sql: String, at values: [Double], _ expected: (Double) -> Double) throws -> Double {
    try queue.read { database in
      let statement = try database.makeStatement(sql: "SELECT \(sql) FROM (SELECT ? AS v)")
      return try values.map { value in
        let found = try #require(try Double.fetchOne(statement, arguments: [value]), "\(sql) of \(value)")
        return abs(found - expected(value)) / max(1, abs(expected(value)))
      }.max() ?? 0
    }
  }

  /// From 2⁻⁶⁴ to 2⁴⁰, the numbers of the table and its ends among them.
  private let magnitudes = (-6390...3999).map { exp2(Double($0) / 100) } + [1, 1.25, 1.75, 2, 40_000, 1e8, exp2(-64)]

  @Test func `logarithms are right to a few units in the last place`() throws {
    #expect(try error(of: ArithmeticSQL.ln("v"), at: magnitudes, log) < 1e-15)
  }

  @Test func `exponentials and roots are right to a few units in the last place`() throws {
    let exponents = (-2000...2000).map { Double($0) / 100 }
    #expect(try error(of: ArithmeticSQL.exp("v"), at: exponents, exp) < 1e-14)
    #expect(try error(of: ArithmeticSQL.root("v"), at: magnitudes, { $0.squareRoot() }) < 1e-14)
    #expect(try error(of: ArithmeticSQL.root("v"), at: [0], { $0 }) == 0)
  }

  @Test func `shares of whole numbers, small and large, have their logarithms`() throws {
    for whole in [2, 3, 5, 6, 9, 10, 11, 1000, 1_000_000] {
      let parts = [1, 2, whole / 10, whole / 5, whole / 5 + 1, whole / 2, whole - 1].filter { (1..<whole).contains($0) }
      let error = try error(of: ArithmeticSQL.lnOfRest("v", of: "\(whole)"), at: parts.map(Double.init)) {
        log((Double(whole) - $0) / Double(whole))
      }
      #expect(error < 1e-15, "\(whole)")
    }
    let none = try queue.read { try Double.fetchOne($0, sql: "SELECT \(ArithmeticSQL.lnOfRest("7", of: "7"))") }
    #expect(none == nil)
  }

  @Test func `quantiles of Student's distribution are those of scipy`() throws {
    // scipy.stats.t.ppf(0.975, freedom), scipy 1.17.1.
    let known: [Double: Double] = [
      1: 12.706204736174694, 5: 2.5705818356363146, 30: 2.042272456301238, 31: 2.039513446396408,
      100: 1.9839715185235518,
      1e6: 1.9599663,
    ]
    let values = known.keys.sorted()
    #expect(try error(of: ArithmeticSQL.studentQuantile("v"), at: values) { known[$0]! } < 1e-7)
  }

  @Test func `what has no logarithm has none`() throws {
    for value in ["0", "-1", "NULL"] {
      let found = try queue.read { try Double.fetchOne($0, sql: "SELECT \(ArithmeticSQL.ln(value))") }
      #expect(found == nil, "\(value)")
    }
  }
}
