// Files of Fixtures/: models trained and measured in float64 by an independent implementation.

import Foundation
import Grokking
import Testing

enum Fixture {
  /// Trained on their operation, with expected.json beside start and end.
  static let names = ["tiny", "small", "quadratic", "grokked"]

  static func url(_ path: String) throws -> URL {
    let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    return folder.appending(path: path)
  }

  static func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: url(path))) }

  static func model(_ path: String) throws -> ModelFile { try ModelFile(parsing: bytes(path)) }

  /// expected.json of the fixture.
  static func expected(_ name: String) throws -> [String: Any] {
    let data = try Data(contentsOf: url("\(name)/expected.json"))
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  static func operation(_ name: String) throws -> Grokking.Operation {
    let config = try #require(try expected(name)["config"] as? [String: Any])
    let operation = (config["op"] as? String).flatMap { Grokking.Operation(rawValue: $0) }
    return try #require(operation)
  }
}
