// The container: what is written is read again, and every kind of damage gets a sentence instead of a trap.

import Grokking
import Testing

@Suite struct SafeTensorsTests {
  /// A file with this header text and data, and a header length that is right unless given.
  private func file(_ header: String, data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
    let text = Array(header.utf8)
    let length = length ?? UInt64(text.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + text + data
  }

  private func problem(_ bytes: [UInt8]) -> String {
    do {
      let found = try SafeTensors(parsing: bytes)
      return "no error: \(found)"
    } catch {
      return error.message
    }
  }

  private func entry(_ type: String = "F32", _ shape: String = "[2]", _ offsets: String = "[0,8]") -> String {
    "{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
  }

  private let example = SafeTensors(
    tensors: [
      .init(name: "embed \"W\"\n\u{1F600}", type: .f32, shape: [2, 1], bytes: [1, 2, 3, 4, 5, 6, 7, 8]),
      .init(name: "scalar", type: .f64, shape: [], bytes: [8, 7, 6, 5, 4, 3, 2, 1]),
      .init(name: "nothing", type: .u8, shape: [0, 3], bytes: []),
      .init(name: "mask", type: .u8, shape: [3], bytes: [0, 1, 0]),
    ], metadata: ["epoch": "12000", "a\\b": "\u{1}\t\u{7F}ü"])

  @Test func `a file that was written is read as it was`() throws {
    let bytes = example.serialized()
    let read = try SafeTensors(parsing: bytes)
    #expect(Set(read.tensors) == Set(example.tensors))
    #expect(read.metadata == example.metadata)
    #expect(read.serialized() == SafeTensors(tensors: read.tensors, metadata: read.metadata).serialized())
    #expect(bytes == example.serialized())
  }

  @Test func `the header is padded with spaces so that the data begins at a multiple of eight`() throws {
    for length in 1...20 {
      let tensor = SafeTensors.Tensor(
        name: String(repeating: "x", count: length), type: .u8, shape: [1], bytes: [7])
      let bytes = SafeTensors(tensors: [tensor]).serialized()
      #expect(bytes.count % 8 == 1)
      #expect(try SafeTensors(parsing: bytes)[tensor.name]?.bytes == [7])
    }
  }

  @Test func `an empty file is a header without tensors`() throws {
    #expect(try SafeTensors(parsing: file("{}")).tensors.isEmpty)
    #expect(try SafeTensors(parsing: SafeTensors().serialized()) == SafeTensors())
  }

  @Test func `whitespace, key order, escapes and surrogate pairs are JSON's`() throws {
    let header = """
      {"__metadata__" : { } , "\\u00e9\\ud83d\\ude00\\/" : \n {"data_offsets":[ 0 , 8 ],"shape":[ 2 ],"dtype":"F32"} }
      """
    let read = try SafeTensors(parsing: file(header, data: [UInt8](repeating: 0, count: 8)))
    #expect(read.tensors.map(\.name) == ["é\u{1F600}/"])
  }

  @Test func `a file that is cut off says where`() {
    #expect(problem([]).contains("has 0 bytes"))
    #expect(problem([1, 2, 3]).contains("cut off or not a safetensors file"))
    #expect(problem(file("{}", length: 3)).contains("says its header has 3 bytes but ends after 2"))
    let whole = example.serialized()
    for length in 0..<whole.count {
      #expect(!problem(Array(whole[..<length])).contains("no error"), "cut to \(length) bytes")
    }
  }

  @Test func `a header longer than the format allows is refused before anything is read`() {
    #expect(problem(file("{}", length: .max)).contains("above the format's limit"))
    #expect(problem(file("{}", length: 1 << 63)).contains("above the format's limit"))
    #expect(problem(file("{}", length: 100_000_001)).contains("above the format's limit"))
  }

  @Test func `offsets that lie are refused by the tensor's name`() {
    let eight = [UInt8](repeating: 0, count: 8)
    let sixteen = eight + eight
    #expect(problem(file("{\"a\":\(entry())}", data: Array(eight.dropLast()))).contains("\"a\" should end at byte 8"))
    #expect(problem(file("{\"a\":\(entry())}", data: sixteen)).contains("8 bytes follow the last tensor"))
    #expect(problem(file("{}", data: [0])).contains("1 bytes follow the last tensor"))
    let backwards = entry("F32", "[2]", "[8,0]")
    #expect(problem(file("{\"a\":\(backwards)}", data: eight)).contains("before it begins"))
    let overlapping = "{\"a\":\(entry()),\"b\":\(entry("F32", "[2]", "[4,12]"))}"
    #expect(problem(file(overlapping, data: sixteen)).contains("may neither overlap nor leave holes"))
    let twice = "{\"a\":\(entry()),\"b\":\(entry())}"
    #expect(problem(file(twice, data: eight)).contains("may neither overlap nor leave holes"))
    let hole = "{\"a\":\(entry("F32", "[1]", "[0,4]")),\"b\":\(entry("F32", "[2]", "[8,16]"))}"
    #expect(problem(file(hole, data: sixteen)).contains("\"b\" begins at byte 8"))
  }

  @Test func `shapes that do not fit their bytes are refused, also when their product overflows`() {
    let eight = [UInt8](repeating: 0, count: 8)
    #expect(problem(file("{\"a\":\(entry("F32", "[3]"))}", data: eight)).contains("needs 12 bytes"))
    #expect(problem(file("{\"a\":\(entry("F64", "[2]"))}", data: eight)).contains("needs 16 bytes"))
    let huge = entry("F32", "[4294967296,4294967296,4294967296]")
    #expect(problem(file("{\"a\":\(huge)}", data: eight)).contains("impossible shape"))
    // The product wraps around to 0 in 64 bits, which the empty span would match.
    let wrapping = entry("F32", "[4611686018427387904,4]", "[0,0]")
    #expect(problem(file("{\"a\":\(wrapping)}")).contains("impossible shape"))
  }

  @Test(
    arguments: [
      ("", "does not begin with {"),
      (" {}", "does not begin with {"),
      ("[]", "does not begin with {"),
      ("{", "\" is expected"),
      ("{}x", "something follows the closing brace"),
      ("{\"a\"", ": is expected"),
      ("{\"a\":1}", "{ is expected"),
      ("{\"a\":{}}", "lacks one of dtype, shape and data_offsets"),
      ("{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0]}}", "has 1 data_offsets, not two"),
      ("{\"a\":{\"dtype\":\"F31\"}}", "unknown dtype \"F31\""),
      ("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", "has \"dtype\" twice"),
      ("{\"a\":{\"colour\":1}}", "unknown key \"colour\""),
      ("{\"a\":{\"shape\":[-1]}}", "a whole number is expected"),
      ("{\"a\":{\"shape\":[1.5]}}", "] is expected"),
      ("{\"a\":{\"shape\":[1e3]}}", "] is expected"),
      ("{\"a\":{\"shape\":[01]}}", "a number begins with 0"),
      ("{\"a\":{\"shape\":[9223372036854775808]}}", "a number is too large"),
      ("{\"a\":{\"shape\":[1,]}}", "a whole number is expected"),
      ("{\"a\":{\"shape\":[[[[1]]]]}}", "a whole number is expected"),
      ("{\"__metadata__\":{\"a\":1}}", "\" is expected"),
      ("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", "the metadata has \"a\" twice"),
      ("{\"__metadata__\":{},\"__metadata__\":{}}", "\"__metadata__\" is there twice"),
      ("{\"a", "a string does not end"),
      ("{\"a\\", "a string does not end"),
      ("{\"a\\x\"", "unknown escape"),
      ("{\"\\u12g4\"", "four hexadecimal digits"),
      ("{\"\\ud800\"", "half a surrogate pair"),
      ("{\"\\ud800\\u0041\"", "half a surrogate pair"),
      ("{\"\\udc00\"", "half a surrogate pair"),
      ("{\"\n\"", "a control character"),
    ])
  func `a header that is not the format's says why and where`(header: String, reason: String) {
    let found = problem(file(header))
    #expect(found.contains(reason))
    #expect(found.contains("at byte "))
  }

  @Test func `a name twice is refused even when the bytes would fit`() {
    let empty = entry("F32", "[0]", "[0,0]")
    #expect(problem(file("{\"a\":\(empty),\"a\":\(empty)}")).contains("\"a\" is there twice"))
    #expect(problem(file("{\"a\":\(empty),\"\\u0061\":\(empty)}")).contains("\"a\" is there twice"))
  }

  @Test func `a name that is not UTF-8 is refused`() {
    #expect(problem([4, 0, 0, 0, 0, 0, 0, 0] + [0x7B, 0x22, 0xFF, 0x22]).contains("not UTF-8"))
  }

  @Test func `no damage to bytes makes the reader trap`() throws {
    var noise = Noise(seed: 20_230_112)
    let originals = [
      example.serialized(), try Fixture.bytes("tiny/end.safetensors"), file("{\"a\":\(entry("F32", "[0]", "[0,0]"))}"),
    ]
    var survived = 0
    for round in 0..<30_000 {
      let bytes = noise.damaged(originals[round % originals.count])
      guard let read = try? SafeTensors(parsing: bytes) else { continue }
      // Whatever is accepted must be consistent, which serializing checks, and be read back as it is.
      let again = try SafeTensors(parsing: read.serialized())
      #expect(Set(again.tensors) == Set(read.tensors) && again.metadata == read.metadata)
      survived += 1
    }
    #expect(survived > 100)
  }
}
