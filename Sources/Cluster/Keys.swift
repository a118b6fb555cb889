// The keys of a running coordinator: the folder as it is now. Looked at again twice a second at most, by whoever asks, so
// that `keys new` and `keys revoke` need no restart.
//
// It fails closed. A key whose file is missing is unknown; one whose file cannot be read, or could have been read by
// others, is let in by nobody until it is mended, and so is everybody when the folder itself is in such a state. Those
// are put off rather than refused: they try again by themselves, and no worker has to be started anew.

import Foundation
import Logging
import Sweeps
import Synchronization
import ZeroMQ

package final class Keys: Sendable {
  /// How long a key may still be let in after it was revoked.
  package static let reviewSeconds = 0.5

  package let folder: KeyFolder
  /// The coordinator's own; it does not change while it runs.
  package let server: CurveKeyPair
  private let logger: Logger
  private let state: Mutex<State>

  private struct State {
    var ring: KeyRing
    /// What is wrong with the whole folder; then nobody is let in.
    var trouble: KeyFileError?
    var fingerprint: [Int]
    var nextLook: MonotonicInstant
  }

  /// What the folder says of a public key.
  package enum Standing: Hashable, Sendable {
    case valid(KeyCard)
    case revoked(KeyCard)
    case unknown
    /// It cannot be told now, and why.
    case unclear(String)
  }

  /// - Throws: `KeyFileError` when anything in the folder is wrong.
  package init(_ folder: KeyFolder, logger: Logger) throws(KeyFileError) {
    guard folder.exists else {
      throw KeyFileError(
        path: folder.path,
        message:
          "there is no such folder of keys; make the first key with: groksweep keys new NAME --keys \(folder.path)")
    }
    self.folder = folder
    self.logger = logger
    let fingerprint = folder.fingerprint()
    let ring = try folder.read()
    server = ring.server
    state = Mutex(
      State(ring: ring, fingerprint: fingerprint, nextLook: .now.advanced(bySeconds: Self.reviewSeconds)))
  }

  /// From any thread.
  package func standing(of publicKey: String) -> Standing {
    state.withLock { state in
      if MonotonicInstant.now >= state.nextLook { look(&state) }
      if let trouble = state.trouble { return .unclear("\(trouble)") }
      guard let card = state.ring.card(publicKey: publicKey) else {
        return state.ring.troubles.first.map { .unclear("\($0)") } ?? .unknown
      }
      return card.revoked == nil ? .valid(card) : .revoked(card)
    }
  }

  private func look(_ state: inout State) {
    state.nextLook = .now.advanced(bySeconds: Self.reviewSeconds)
    let fingerprint = folder.fingerprint()
    guard fingerprint != state.fingerprint else { return }
    state.fingerprint = fingerprint
    do throws(KeyFileError) {
      let ring = try folder.readAsFarAsPossible()
      guard ring.server == server else {
        throw KeyFileError(
          path: folder.path, message: "its server.key is another one than at the start; start the coordinator again")
      }
      for trouble in ring.troubles {
        logger.error("\(trouble); its key is not let in until that is mended")
      }
      state.ring = ring
      state.trouble = nil
    } catch {
      logger.error("\(error); nobody is let in until that is mended")
      state.trouble = error
    }
  }
}
