// The chain of digests that proves two runs equal: SHA-256 over the weights every 1,000 epochs.

import Crypto

/// Builds the chain link by link.
struct WeightDigest: Codable {
  /// Epochs between links.
  static let interval = 1000

  private(set) var links: [EpochDigest] = []

  /// Adds SHA-256(previous link's digits, epoch, weights), numbers as little-endian bytes; replaces a link of the same
  /// epoch. A diverged run's last link is of no weights: what is left of them is not a number. The bits of NaN differ
  /// between machines, so all are hashed as one.
  mutating func add(epoch: Int, weights: [Float]) {
    if links.last?.epoch == epoch { links.removeLast() }
    var hash = SHA256()
    hash.update(data: Array((links.last?.digest ?? "").utf8))
    withUnsafeBytes(of: UInt64(epoch).littleEndian) { hash.update(bufferPointer: $0) }
    weights.map { ($0.isNaN ? Float.nan : $0).bitPattern.littleEndian }
      .withUnsafeBytes { hash.update(bufferPointer: $0) }
    links.append(EpochDigest(epoch: epoch, digest: hexadecimal(hash.finalize())))
  }

  /// Takes back the last link when it is of `epoch` only because a run ended there.
  mutating func dropUnlessDue(at epoch: Int) {
    if links.last?.epoch == epoch && epoch % WeightDigest.interval != 0 { links.removeLast() }
  }
}

/// Two lower-case digits per byte.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef")
  return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
}
