// A picture of many cells as one PNG inside the SVG: a byte a cell and the colours of the ramp, not compressed.
//
// 113 × 113 cells are 13 kB, where as many rectangles would be 700 kB. The bytes are not deflated, so that a script finds
// a cell's level where it stands: level 0 is "no value" and transparent, 1…255 run along the ramp.

import Foundation

package struct Raster {
  let columns: Int
  let rows: Int
  /// Row by row from the top.
  let levels: [UInt8]
  let ramp: Ramp
  var isDeflated = false

  /// Every cell as `factor` × `factor` pixels, for programs that smooth what they enlarge; then the bytes are deflated.
  func enlarged(by factor: Int) -> Raster {
    var rows: [UInt8] = []
    rows.reserveCapacity(levels.count * factor * factor)
    for row in 0..<self.rows {
      let wide = levels[row * columns..<(row + 1) * columns].flatMap { [UInt8](repeating: $0, count: factor) }
      for _ in 0..<factor { rows += wide }
    }
    return Raster(columns: columns * factor, rows: self.rows * factor, levels: rows, ramp: ramp, isDeflated: true)
  }

  /// Where the first byte of the rows (a filter byte, then the levels) stands in the file.
  package static let rowsOffset = 8 + (12 + 13) + (12 + 768) + (12 + 1) + 8 + 2 + 5
  /// Bytes of a block of rows; 5 more bytes stand before each.
  package static let blockSize = 65_535

  /// `data:image/png;base64,…`
  var dataURI: String { "data:image/png;base64," + Data(png).base64EncodedString() }

  var png: [UInt8] {
    var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    // Eight bits a pixel, numbers of a palette.
    Raster.append(
      "IHDR", Raster.bigEndian(UInt32(columns)) + Raster.bigEndian(UInt32(rows)) + [8, 3, 0, 0, 0], to: &file)
    var palette: [UInt8] = [0, 0, 0]
    for level in 1...255 {
      let colour = ramp.colour(at: Raster.share(ofLevel: level))
      palette += [colour.red, colour.green, colour.blue]
    }
    Raster.append("PLTE", palette, to: &file)
    Raster.append("tRNS", [0], to: &file)
    Raster.append("IDAT", compressed, to: &file)
    Raster.append("IEND", [], to: &file)
    return file
  }

  /// - Parameter share: 0…1 along the ramp.
  static func level(ofShare share: Double) -> UInt8 { UInt8((min(max(share, 0), 1) * 254).rounded()) + 1 }

  private static func share(ofLevel level: Int) -> Double { Double(level - 1) / 254 }

  /// The rows in a zlib stream, of stored blocks unless it is to be deflated.
  private var compressed: [UInt8] {
    var rows: [UInt8] = []
    rows.reserveCapacity(levels.count + self.rows)
    for row in 0..<self.rows {
      rows.append(0)
      rows += levels[row * columns..<(row + 1) * columns]
    }
    var stream: [UInt8] = [0x78, 0x01]
    if isDeflated {
      return stream + RunDeflate.compress(rows, stride: columns + 1) + Raster.bigEndian(Raster.adler32(rows))
    }
    var start = 0
    repeat {
      let end = min(start + Raster.blockSize, rows.count)
      let length = UInt16(end - start)
      stream += [end == rows.count ? 1 : 0, UInt8(length & 255), UInt8(length >> 8)]
      stream += [UInt8(~length & 255), UInt8(~length >> 8)]
      stream += rows[start..<end]
      start = end
    } while start < rows.count
    return stream + Raster.bigEndian(Raster.adler32(rows))
  }

  private static func append(_ kind: String, _ content: [UInt8], to file: inout [UInt8]) {
    let body = Array(kind.utf8) + content
    file += bigEndian(UInt32(content.count)) + body + bigEndian(crc32(body))
  }

  private static func bigEndian(_ word: UInt32) -> [UInt8] {
    [UInt8(word >> 24), UInt8(word >> 16 & 255), UInt8(word >> 8 & 255), UInt8(word & 255)]
  }

  private static func adler32(_ bytes: [UInt8]) -> UInt32 {
    var (a, b): (UInt32, UInt32) = (1, 0)
    for byte in bytes {
      a = (a + UInt32(byte)) % 65_521
      b = (b + a) % 65_521
    }
    return b << 16 | a
  }

  private static func crc32(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~0) { checks[Int(($0 ^ UInt32($1)) & 255)] ^ ($0 >> 8) }
  }

  private static let checks: [UInt32] = (0..<256).map { (byte: UInt32) in
    (0..<8).reduce(byte) { check, _ in check & 1 == 1 ? 0xEDB8_8320 ^ (check >> 1) : check >> 1 }
  }
}
