// All that a machine needs to join: its own key pair, the coordinator's public key, and where to find it. Whoever has the
// file is whom it names, so it is its owner's alone (0600), and using one that others can read is refused.

import Foundation
import ZeroMQ

package struct JoinFile: Hashable, Sendable {
  /// Of the key, as the coordinator's folder knows it.
  package let name: String
  package let role: Role
  package let keys: CurveKeyPair
  package let server: CurveKey
  /// Where the coordinator listens, if the one who made the file said so.
  package let address: String?

  package init(name: String, role: Role, keys: CurveKeyPair, server: CurveKey, address: String? = nil) {
    self.name = name
    self.role = role
    self.keys = keys
    self.server = server
    self.address = address
  }

  package var client: CurveClient { CurveClient(own: keys, server: server) }

  private struct Contents: Codable {
    var address: String?
    var groksweep_join: Int
    var name: String
    var public_key: String
    var role: Role
    var secret_key: String
    var server_key: String
  }

  package init(path: String) throws(KeyFileError) {
    let what = "a join file of `groksweep keys new`"
    let contents = try SecretFile.parse(Contents.self, SecretFile.read(path), path, what: what)
    guard contents.groksweep_join == 1 else {
      throw KeyFileError(path: path, message: "is a join file of a later version of groksweep; use the same build")
    }
    guard let server = CurveKey(contents.server_key), let publicKey = CurveKey(contents.public_key),
      let secretKey = CurveSecret(contents.secret_key),
      let keys = CurveKeyPair(publicKey: publicKey, secretKey: secretKey), KeyName.isValid(contents.name)
    else { throw KeyFileError(path: path, message: "is damaged: its keys are no keys, or do not belong together") }
    if let address = contents.address, (try? EndpointPolicy.check(address, .connecting, .keys)) == nil {
      throw KeyFileError(path: path, message: "is damaged: \"\(address)\" is not an address")
    }
    self.init(name: contents.name, role: contents.role, keys: keys, server: server, address: contents.address)
  }

  /// Writes it for its owner alone; never over another file.
  package func write(to path: String) throws(KeyFileError) {
    let contents = Contents(
      address: address, groksweep_join: 1, name: name, public_key: keys.publicKey.text, role: role,
      secret_key: keys.secretKey.secretText, server_key: server.text)
    try SecretFile.write(SecretFile.json(contents), to: path, replacing: false)
  }
}

/// Names of keys: of files too, and in logs.
package enum KeyName {
  /// 1 to 64 of a–z, A–Z, 0–9, `-`, `_` and `.`, not first a `.` or `-`; and not the coordinator's own.
  package static func isValid(_ name: String) -> Bool {
    let others = Array("-_.".utf8)
    let isPlain = name.utf8.allSatisfy { byte in
      (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || others.contains(byte)
    }
    return isPlain && (1...64).contains(name.utf8.count) && !name.hasPrefix(".") && !name.hasPrefix("-")
      && name.lowercased() != KeyFolder.serverName
  }
}
