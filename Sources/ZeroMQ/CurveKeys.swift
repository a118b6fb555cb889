// CURVE's long-term keys in their text form: 32 bytes as 40 characters of Z85. A secret key is never printed.

import CZeroMQ

/// A public key. Prints as its first characters: enough to tell keys apart in a log.
package struct CurveKey: Hashable, Sendable, CustomStringConvertible {
  /// 40 characters of Z85.
  package let text: String

  /// nil unless `text` is the text form of a key.
  package init?(_ text: String) {
    guard CurveText.isKey(text) else { return nil }
    self.text = text
  }

  /// nil unless these are 32 bytes.
  package init?(bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    var text = [CChar](repeating: 0, count: CurveText.length + 1)
    guard zmq_z85_encode(&text, bytes, bytes.count) != nil else { return nil }
    self.text = CurveText.string(text)
  }

  package var description: String { "\(text.prefix(8))…" }
}

/// A secret key. Whoever wants its text asks for it by name; printing gives none of it.
package struct CurveSecret: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
  /// 40 characters of Z85: for files that only their owner reads.
  package let secretText: String

  package init?(_ text: String) {
    guard CurveText.isKey(text) else { return nil }
    secretText = text
  }

  package var description: String { "a secret key" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

/// A public key and the secret key that belongs to it.
package struct CurveKeyPair: Hashable, Sendable {
  package let publicKey: CurveKey
  package let secretKey: CurveSecret

  /// nil when the two do not belong together.
  package init?(publicKey: CurveKey, secretKey: CurveSecret) {
    var derived = [CChar](repeating: 0, count: CurveText.length + 1)
    guard zmq_curve_public(&derived, secretKey.secretText) == 0, CurveText.string(derived) == publicKey.text else {
      return nil
    }
    self.publicKey = publicKey
    self.secretKey = secretKey
  }

  /// A new pair, from libsodium's generator.
  ///
  /// - Throws: when this libzmq was built without CURVE.
  package static func generate() throws(ZeroMQError) -> CurveKeyPair {
    var (open, secret) = ([CChar](repeating: 0, count: 41), [CChar](repeating: 0, count: 41))
    guard zmq_curve_keypair(&open, &secret) == 0 else {
      throw ZeroMQError(
        .makeKeys, code: zmq_errno(), cause: "this libzmq has no CURVE; install one that was built with libsodium")
    }
    guard let publicKey = CurveKey(CurveText.string(open)), let secretKey = CurveSecret(CurveText.string(secret)),
      let pair = CurveKeyPair(publicKey: publicKey, secretKey: secretKey)
    else { preconditionFailure("libzmq made a key pair that is none") }
    return pair
  }
}

/// What a socket needs to be let in somewhere, and to know that it is the right place.
package struct CurveClient: Hashable, Sendable {
  package let own: CurveKeyPair
  /// A server with any other key cannot read a byte of ours, nor we of its.
  package let server: CurveKey

  package init(own: CurveKeyPair, server: CurveKey) {
    self.own = own
    self.server = server
  }
}

enum CurveText {
  static let length = 40
  private static let alphabet = Set(
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#".utf8)

  static func isKey(_ text: String) -> Bool {
    guard text.utf8.count == length, text.utf8.allSatisfy(alphabet.contains) else { return false }
    var bytes = [UInt8](repeating: 0, count: 32)
    return zmq_z85_decode(&bytes, text) != nil
  }

  static func string(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
