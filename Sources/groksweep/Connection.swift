// Where a command finds what it is about: a coordinator that runs, or a store that nobody coordinates on.

import ArgumentParser
import Cluster
import Foundation
import Results
import Sweeps

/// How to reach a running coordinator.
struct Connection: ParsableArguments {
  @Option(help: "A running coordinator's address, as it printed it (default: the join file's).")
  var connect: String?
  @Option(help: "The join file that lets you in; made with groksweep keys new --role operator.") var join: String?
  @Flag(help: "Ask another machine's coordinator without keys, unencrypted.") var insecure = false
  @Option(help: "Seconds to wait for its answer (default: 10; 300 for submit).") var timeout: Double?

  /// Whether a coordinator was named.
  var isGiven: Bool { connect != nil || join != nil }

  func validate() throws {
    if join != nil && insecure { throw ValidationError("give --join or --insecure, not both") }
    if let timeout, !(timeout >= 0.1 && timeout <= 86_400) {
      throw ValidationError("--timeout \(timeout): give seconds from 0.1 to 86400")
    }
  }

  /// nil when no coordinator was named.
  func client(timeoutSeconds: Double = 10) throws -> OperatorClient? {
    guard isGiven else { return nil }
    let joining = try join.map { path throws(KeyFileError) in try JoinFile(path: path) }
    if let joining, joining.role == .worker {
      throw Failure("\(join!): is of a key of a worker; asking needs a key of an operator or reader", .notAllowed)
    }
    guard let connect = connect ?? joining?.address else {
      throw Failure("say where the coordinator is: --connect tcp://HOST:PORT", .usage)
    }
    let endpoint = try EndpointPolicy.check(
      connect, .connecting, joining != nil ? .keys : insecure ? .insecure : .nothing)
    return try OperatorClient(endpoint: endpoint, join: joining, timeoutSeconds: timeout ?? timeoutSeconds)
  }
}

/// A running coordinator, or a store.
struct Target: ParsableArguments {
  @OptionGroup var connection: Connection
  @Option(help: "A store, when no coordinator runs on it.") var store: String?

  func validate() throws {
    guard connection.isGiven != (store != nil) else {
      throw ValidationError("give --connect ADDRESS (a running coordinator) or --store STORE (none running)")
    }
  }

  /// Has the request carried out: by the coordinator, or here and now on the store, whose lock is held meanwhile.
  ///
  /// - Parameter isMade: whether a store that is not there is made.
  func ask(_ request: OperatorRequest, timeoutSeconds: Double = 10, isMade: Bool = false) throws -> OperatorReply {
    if let client = try connection.client(timeoutSeconds: timeoutSeconds) { return try client.ask(request) }
    let path = store!
    if request.isReading {
      var desk = OperatorDesk(try Store(path: path, mode: .readOnly), now: Date())
      return desk.carryOut(request)
    }
    return try withLockedStore(path, isMade: isMade) { store in
      var desk = OperatorDesk(store, user: NSUserName(), now: Date())
      return desk.carryOut(request)
    }
  }
}

/// The store at `path` while nobody else writes it.
func withLockedStore<Value>(_ path: String, isMade: Bool = false, _ body: (Store) throws -> Value) throws -> Value {
  guard isMade || FileManager.default.fileExists(atPath: path) else {
    throw Failure("\(path): no such store", .badInput)
  }
  let lock: StoreLock
  do {
    lock = try Store.lock(path: path, now: Date())
  } catch let error as StoreError where error.kind == .locked {
    throw Failure("\(error), or ask it: give --connect with the address that it printed in place of --store", .failed)
  }
  defer { lock.release() }
  return try body(try openStore(path, isMade ? .create : .open))
}

/// What came of a request, for people or as JSON: words that somebody carried it out go to stdout, refusals end the
/// command.
func conclude(_ reply: OperatorReply, json: Bool) throws {
  switch reply {
  case .answer(let text): Console.print(text)
  case .done(let words): Console.print(json ? try jsonLine(["done": words]) : words)
  case .failed(let words, let isBadInput): throw Failure(words, isBadInput ? .badInput : .failed)
  case .notAllowed(let words): throw Failure(words, .notAllowed)
  }
}
