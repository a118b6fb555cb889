// The residues in the order in which an operation's waves run through them.
//
// For sums and differences that order is 0, 1, 2, …. A product of non-zero residues is a sum of exponents: with a
// generator g of the residues modulo a prime, gⁱ·gʲ = gⁱ⁺ʲ, so multiplication modulo p is addition modulo p − 1 of
// discrete logarithms. Everything that is measured along a frequency is measured around this circle.

/// Residues 0…p−1 in order, or for multiplication modulo a prime the powers of its smallest primitive root.
package struct Circle: Sendable {
  /// p.
  package let modulus: Int
  /// Residue at each place: x, or gˣ mod p.
  package let residues: [Int]
  /// Place of each residue; nil for 0 where places are exponents.
  let places: [Int?]
  /// Of length n.
  package let basis: FourierBasis

  /// Multiplication modulo 3 has two non-zero residues and no frequency; it is treated as an operation without waves.
  package init(of operation: Operation, modulus p: Int) {
    modulus = p
    residues = operation == .multiply && p > 3 ? Circle.powers(modulo: p) ?? Array(0..<p) : Array(0..<p)
    var places = [Int?](repeating: nil, count: p)
    for (place, residue) in residues.enumerated() { places[residue] = place }
    self.places = places
    basis = FourierBasis(modulus: residues.count)
  }

  /// n: p, or p − 1.
  package var length: Int { residues.count }
  /// K = ⌊(n−1)/2⌋.
  package var frequencyCount: Int { basis.frequencyCount }
  /// Whether places are exponents, and 0 has none.
  package var isLogarithmic: Bool { length < modulus }

  /// 1, g, g², … of the smallest g that meets all p − 1 non-zero residues; nil for a composite modulus, which has none.
  private static func powers(modulo p: Int) -> [Int]? {
    for g in 2..<p {
      var powers = [1]
      while powers.count < p {
        let next = powers[powers.count - 1] * g % p
        if next <= 1 { break }
        powers.append(next)
      }
      if powers.count == p - 1 { return powers }
    }
    return nil
  }
}

/// Which waves an operation's solution is made of, and for which pairs.
package struct Waves: Sendable {
  package let circle: Circle
  /// Pairs a·p+b whose operands both have a place, ascending: n², so all of them but for products.
  package let pairs: [Int]
  /// s of each of `pairs`: the sum, for `subtract` the difference, of its operands' places modulo n. Each value stands
  /// n times.
  package let index: [Int]
  /// Along which the waves run.
  let direction: GridDirection

  /// Nil for operations whose solution is not known to be made of waves of one s.
  package init?(of operation: Operation, modulus p: Int) {
    circle = Circle(of: operation, modulus: p)
    switch operation {
    case .add: direction = .sum
    case .subtract: direction = .difference
    case .multiply where circle.isLogarithmic: direction = .sum
    case .multiply, .x2xyy2, .random: return nil
    }
    let (places, n, direction) = (circle.places, circle.length, direction)
    let entries = (0..<p * p).compactMap { pair in
      places[pair / p].flatMap { a in
        places[pair % p].map { b in (pair: pair, s: direction.place(a, b, around: n)) }
      }
    }
    pairs = entries.map(\.pair)
    index = entries.map(\.s)
  }

  /// - Parameter labels: of all p² pairs.
  /// - Returns: of each of `pairs`, the place of its label; nil for a product that label noise has made 0.
  func places(ofLabels labels: [Int32]) -> [Int?] {
    precondition(labels.count == circle.modulus * circle.modulus, "\(labels.count) labels for p = \(circle.modulus)")
    return pairs.map { circle.places[Int(labels[$0])] }
  }
}
