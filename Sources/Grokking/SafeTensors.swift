// The safetensors container (https://huggingface.co/docs/safetensors): eight bytes of header length, a JSON header,
// and the tensors' bytes. Bytes only: what the tensors mean is `ModelFile`'s business, where they lie on disk another's.
//
// As strict as the reference library, since a lying header is how such files attack their readers: tensors cover the
// data exactly, without holes or overlaps, and nothing is allocated before its size has been checked.

/// Named tensors and text metadata.
package struct SafeTensors: Hashable, Sendable {
  /// Element types the format knows.
  package enum ElementType: String, Hashable, Sendable {
    case bool = "BOOL"
    case u8 = "U8"
    case i8 = "I8"
    case i16 = "I16"
    case u16 = "U16"
    case f16 = "F16"
    case bf16 = "BF16"
    case i32 = "I32"
    case u32 = "U32"
    case f32 = "F32"
    case i64 = "I64"
    case u64 = "U64"
    case f64 = "F64"

    package var byteCount: Int {
      switch self {
      case .bool, .u8, .i8: 1
      case .i16, .u16, .f16, .bf16: 2
      case .i32, .u32, .f32: 4
      case .i64, .u64, .f64: 8
      }
    }
  }

  package struct Tensor: Hashable, Sendable {
    package var name: String
    package var type: ElementType
    package var shape: [Int]
    /// Little-endian, row-major.
    package var bytes: [UInt8]

    package init(name: String, type: ElementType, shape: [Int], bytes: [UInt8]) {
      self.name = name
      self.type = type
      self.shape = shape
      self.bytes = bytes
    }
  }

  /// In the order of their bytes in the file.
  package var tensors: [Tensor]
  package var metadata: [String: String]

  /// The reference library's limit, in bytes.
  package static let longestHeader = 100_000_000

  package init(tensors: [Tensor] = [], metadata: [String: String] = [:]) {
    self.tensors = tensors
    self.metadata = metadata
  }

  /// The first tensor of that name.
  package subscript(_ name: String) -> Tensor? { tensors.first { $0.name == name } }

  /// - Throws: `SafeTensorsError` for anything that is not a whole, consistent safetensors file.
  package init(parsing bytes: [UInt8]) throws(SafeTensorsError) {
    guard bytes.count >= 8 else {
      throw SafeTensorsError(
        "the file has \(bytes.count) bytes, and a safetensors file begins with 8 for the length of its header; "
          + "it is cut off or not a safetensors file")
    }
    let length = bytes[0..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(SafeTensors.longestHeader) else {
      throw SafeTensorsError(
        "the file says its header has \(length) bytes, above the format's limit of \(SafeTensors.longestHeader); "
          + "it is not a safetensors file")
    }
    let dataStart = 8 + Int(length)
    guard dataStart <= bytes.count else {
      throw SafeTensorsError(
        "the file says its header has \(length) bytes but ends after \(bytes.count - 8); it is cut off")
    }
    let header = try SafeTensorsHeader(parsing: bytes[8..<dataStart])
    try self.init(header, data: bytes[dataStart...])
  }

  private init(_ header: SafeTensorsHeader, data: ArraySlice<UInt8>) throws(SafeTensorsError) {
    metadata = header.metadata
    tensors = []
    // Order in the file, so that each tensor must begin where the one before it ended.
    let entries = header.entries.sorted { ($0.begin, $0.end, $0.name) < ($1.begin, $1.end, $1.name) }
    var end = 0
    for entry in entries {
      let name = entry.name
      guard entry.begin <= entry.end else {
        throw SafeTensorsError("tensor \"\(name)\" ends at byte \(entry.end), before it begins at \(entry.begin)")
      }
      guard entry.end <= data.count else {
        throw SafeTensorsError(
          "tensor \"\(name)\" should end at byte \(entry.end) of the data, but there are \(data.count); "
            + "the file is cut off or its header lies")
      }
      guard entry.begin == end else {
        throw SafeTensorsError(
          "tensor \"\(name)\" begins at byte \(entry.begin) of the data but the one before it ends at \(end); "
            + "tensors may neither overlap nor leave holes")
      }
      var count = entry.type.byteCount
      for extent in entry.shape {
        let (product, overflow) = count.multipliedReportingOverflow(by: extent)
        guard !overflow else { throw SafeTensorsError("tensor \"\(name)\" has the impossible shape \(entry.shape)") }
        count = product
      }
      guard count == entry.end - entry.begin else {
        throw SafeTensorsError(
          "tensor \"\(name)\" of shape \(entry.shape) and dtype \(entry.type.rawValue) needs \(count) bytes, "
            + "but its data_offsets span \(entry.end - entry.begin)")
      }
      let range = (data.startIndex + entry.begin)..<(data.startIndex + entry.end)
      tensors.append(Tensor(name: name, type: entry.type, shape: entry.shape, bytes: Array(data[range])))
      end = entry.end
    }
    guard end == data.count else {
      throw SafeTensorsError(
        "\(data.count - end) bytes follow the last tensor; the header does not describe the whole file")
    }
  }

  /// The file: metadata sorted by key, tensors in their order, the header padded with spaces to a multiple of eight.
  ///
  /// The same value always gives the same bytes. Names must be unique and bytes fit their shapes; anything else is a
  /// programming error.
  package func serialized() -> [UInt8] {
    var members: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }
      let texts = pairs.map { SafeTensors.quoted($0.key) + ":" + SafeTensors.quoted($0.value) }
      members.append("\"__metadata__\":{" + texts.joined(separator: ",") + "}")
    }
    var end = 0
    var names: Set<String> = ["__metadata__"]
    for tensor in tensors {
      let count = tensor.shape.reduce(tensor.type.byteCount, *)
      precondition(count == tensor.bytes.count, "\(tensor.name): \(tensor.bytes.count) bytes for \(tensor.shape)")
      precondition(names.insert(tensor.name).inserted, "two tensors called \(tensor.name)")
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      members.append(
        "\(SafeTensors.quoted(tensor.name)):{\"dtype\":\"\(tensor.type.rawValue)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(end),\(end + count)]}")
      end += count
    }
    var header = Array(("{" + members.joined(separator: ",") + "}").utf8)
    header.append(contentsOf: [UInt8](repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8))
    var file: [UInt8] = []
    file.reserveCapacity(8 + header.count + end)
    for byte in 0..<8 { file.append(UInt8(truncatingIfNeeded: header.count >> (8 * byte))) }
    file.append(contentsOf: header)
    for tensor in tensors { file.append(contentsOf: tensor.bytes) }
    return file
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\u{0}"..<" ":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

/// Why bytes are not a safetensors file, in a sentence.
package struct SafeTensorsError: Error, Hashable, Sendable, CustomStringConvertible {
  package let message: String

  package init(_ message: String) { self.message = message }

  package var description: String { message }
}
