// The coordinator's folder of keys: its own pair, and one file for each key that it lets in.
//
//   S.keys/             0700
//   S.keys/server.key   0600  the coordinator's key pair
//   S.keys/NAME.key     0600  a client's public key, its role, when it was made, and when it was revoked
//
// A client's secret key is in its join file only. A revoked key's file stays, so that its name is never given again and
// its refusal can name it. Every file is written whole, so a coordinator may read at any moment.

import Foundation
import ZeroMQ

/// One key that is, or was, let in.
package struct KeyCard: Hashable, Sendable, Codable {
  package let name: String
  package let role: Role
  /// 40 characters of Z85.
  package let publicKey: String
  /// ISO 8601, UTC.
  package let created: String
  /// nil while it is let in.
  package var revoked: String?

  private enum CodingKeys: String, CodingKey {
    case name, role
    case publicKey = "public_key"
    case created, revoked
  }

  /// For logs: name and first characters.
  package var title: String { "key \"\(name)\" (\(publicKey.prefix(8))…)" }
}

/// What a folder held when it was read.
package struct KeyRing: Sendable {
  package let server: CurveKeyPair
  /// By name.
  package let cards: [KeyCard]
  /// Files that could not be used. While there are any, a key that is not among `cards` may be one of theirs.
  package let troubles: [KeyFileError]
  private let byPublicKey: [String: KeyCard]

  init(server: CurveKeyPair, cards: [KeyCard], troubles: [KeyFileError]) {
    self.server = server
    self.cards = cards
    self.troubles = troubles
    byPublicKey = Dictionary(cards.map { ($0.publicKey, $0) }) { first, _ in first }
  }

  package func card(publicKey: String) -> KeyCard? { byPublicKey[publicKey] }
}

package struct KeyFolder: Sendable {
  static let serverName = "server"
  private static let suffix = ".key"
  package let path: String

  private struct ServerFile: Codable {
    var public_key: String
    var secret_key: String
  }

  /// Nothing is read or made yet.
  package init(path: String) {
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
  }

  /// `<store>.keys`, the store's name without `.sqlite`.
  package static func path(besides store: String) -> String {
    (store.hasSuffix(".sqlite") ? String(store.dropLast(7)) : store) + ".keys"
  }

  package var exists: Bool { access(path, F_OK) == 0 }

  /// Makes the folder and the coordinator's key pair, unless they are there.
  package func create() throws {
    if mkdir(path, 0o700) != 0 && errno != EEXIST { throw KeyFileError.last(path, "cannot be made") }
    try SecretFile.checkFolder(path)
    guard access(file(Self.serverName), F_OK) != 0 else { return }
    let pair = try CurveKeyPair.generate()
    let contents = ServerFile(public_key: pair.publicKey.text, secret_key: pair.secretKey.secretText)
    do {
      try SecretFile.write(SecretFile.json(contents), to: file(Self.serverName), replacing: false)
    } catch {
      // Somebody else made it in the meantime: that one counts.
      guard access(file(Self.serverName), F_OK) == 0 else { throw error }
    }
  }

  /// Everything in it, or the first thing that is wrong.
  package func read() throws(KeyFileError) -> KeyRing {
    let ring = try readAsFarAsPossible()
    if let trouble = ring.troubles.first { throw trouble }
    return ring
  }

  /// Whatever is right in it; the rest is in `troubles`.
  ///
  /// - Throws: when the folder itself or the coordinator's own key cannot be trusted.
  func readAsFarAsPossible() throws(KeyFileError) -> KeyRing {
    try SecretFile.checkFolder(path)
    let server = try readServer()
    var (cards, troubles): ([KeyCard], [KeyFileError]) = ([], [])
    for name in try names() where name != Self.serverName {
      do throws(KeyFileError) {
        let card = try readCard(name)
        if let other = cards.first(where: { $0.publicKey == card.publicKey }) {
          throw KeyFileError(
            path: file(name), message: "has the same key as \(file(other.name)); revoke or remove one of them")
        }
        cards.append(card)
      } catch {
        troubles.append(error)
      }
    }
    return KeyRing(server: server, cards: cards, troubles: troubles)
  }

  private func readServer() throws(KeyFileError) -> CurveKeyPair {
    let path = file(Self.serverName)
    guard access(path, F_OK) == 0 else {
      throw KeyFileError(path: path, message: "is missing; `groksweep keys new` makes it with the first key")
    }
    let contents = try SecretFile.parse(
      ServerFile.self, SecretFile.read(path), path, what: "a coordinator's key pair")
    guard let publicKey = CurveKey(contents.public_key), let secretKey = CurveSecret(contents.secret_key),
      let pair = CurveKeyPair(publicKey: publicKey, secretKey: secretKey)
    else { throw KeyFileError(path: path, message: "is damaged: its keys are no keys, or do not belong together") }
    return pair
  }

  private func readCard(_ name: String) throws(KeyFileError) -> KeyCard {
    let path = file(name)
    let card = try SecretFile.parse(KeyCard.self, SecretFile.read(path), path, what: "a file of a key")
    guard card.name == name, KeyName.isValid(name), CurveKey(card.publicKey) != nil else {
      throw KeyFileError(path: path, message: "is damaged: its name or its key is wrong")
    }
    return card
  }

  /// Makes a key pair for a client, keeps the public key and returns the rest for its join file.
  package func add(name: String, role: Role, address: String? = nil, at date: Date) throws -> JoinFile {
    guard KeyName.isValid(name) else {
      throw KeyFileError(
        path: path, message: "\"\(name)\" is no name for a key; use up to 64 letters, digits, -, _ and .")
    }
    let server = try readServer()
    let pair = try CurveKeyPair.generate()
    let card = KeyCard(
      name: name, role: role, publicKey: pair.publicKey.text, created: Self.text(of: date), revoked: nil)
    guard access(file(name), F_OK) != 0 else {
      throw KeyFileError(path: path, message: "has a key named \"\(name)\" already; choose another name")
    }
    try SecretFile.write(SecretFile.json(card), to: file(name), replacing: false)
    return JoinFile(name: name, role: role, keys: pair, server: server.publicKey, address: address)
  }

  /// Takes back what `add` made, as when its join file could not be written.
  package func remove(name: String) { unlink(file(name)) }

  /// From now on the key is refused; a coordinator that runs sees it within a second. Revoking twice changes nothing.
  package func revoke(name: String, at date: Date) throws(KeyFileError) -> KeyCard {
    try SecretFile.checkFolder(path)
    guard KeyName.isValid(name), access(file(name), F_OK) == 0 else {
      throw KeyFileError(
        path: path, message: "has no key named \"\(name)\"; `groksweep keys list --keys \(path)` shows those it has")
    }
    var card = try readCard(name)
    guard card.revoked == nil else { return card }
    card.revoked = Self.text(of: date)
    try SecretFile.write(SecretFile.json(card), to: file(name), replacing: true)
    return card
  }

  private func file(_ name: String) -> String { path + "/" + name + Self.suffix }

  private func names() throws(KeyFileError) -> [String] {
    guard let all = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      throw .last(path, "cannot be read")
    }
    return all.filter { $0.hasSuffix(Self.suffix) }.map { String($0.dropLast(Self.suffix.count)) }.sorted()
  }

  /// Changes whenever a file of the folder, or the folder itself, does.
  func fingerprint() -> [Int] {
    guard let names = try? names() else { return [] }
    return ([path] + names.map(file)).flatMap { path in
      var status = stat()
      guard lstat(path, &status) == 0 else { return [-1] }
      return [
        Int(status.st_ino), Int(status.st_size), Int(status.st_mode), Int(status.st_uid), status.st_mtim.tv_sec,
        status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
      ]
    }
  }

  private static func text(of date: Date) -> String { date.formatted(.iso8601) }
}
