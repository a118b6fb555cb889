// `groksweep keys`: who may join a coordinator that others can reach.

import ArgumentParser
import Cluster
import Foundation
import Reports
import Sweeps

struct KeysCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys",
    abstract: "Make, list and revoke the keys that a coordinator lets in.",
    discussion: """
      A coordinator that other machines can reach lets in only those whose key is in its folder of keys. `keys new` makes \
      a key and a join file; carry the join file to the other machine (it is a secret), and start workers there with \
      --join. All of it works while the coordinator runs.

        groksweep keys new lab2 --store wd.sqlite --address tcp://coordinator.example.org:5555
        groksweep coordinator configs/weight-decay.yaml --store wd.sqlite --bind tcp://0.0.0.0:5555 --keys wd.keys
        groksweep worker --join lab2.join                  (on the other machine)
      """,
    subcommands: [New.self, List.self, Revoke.self])

  /// Which folder.
  struct Place: ParsableArguments {
    @Option(help: "The coordinator's folder of keys (default: the store's name with .keys).") var keys: String?
    @Option(help: "The coordinator's store. May be left out when the working folder holds just one.") var store: String?

    func folder() throws -> KeyFolder {
      if let keys { return KeyFolder(path: keys) }
      if let store { return KeyFolder(path: KeyFolder.path(besides: store)) }
      let here = try FileManager.default.contentsOfDirectory(atPath: ".").filter { $0.hasSuffix(".sqlite") }.sorted()
      guard here.count == 1 else {
        throw Failure(
          "say whose keys: name the coordinator's store (--store S) or its folder of keys (--keys DIR)", .usage)
      }
      return KeyFolder(path: KeyFolder.path(besides: here[0]))
    }

    func validate() throws {
      if keys != nil && store != nil { throw ValidationError("give --keys or --store, not both") }
    }
  }

  struct New: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a key and its join file.",
      discussion: """
        One join file serves any number of workers and machines; one for each machine can be revoked for each machine. A \
        worker's key takes points and hands in results; an operator's asks and changes everything (submit, pause, \
        cancel, …); a reader's only asks (status, explain).
        """)

    @Argument(help: "A name for the key, as in lab2.") var name: String
    @Option(help: "worker, operator or reader.") var role: Role = .worker
    @OptionGroup var place: Place
    @Option(help: "Where the coordinator will listen, for the join file, as in tcp://HOST:5555.") var address: String?
    @Option(name: .shortAndLong, help: "The join file (default: NAME.join, here).") var output: String?

    func validate() throws {
      guard KeyName.isValid(name) else {
        throw ValidationError("\"\(name)\" is no name for a key; use up to 64 letters, digits, -, _ and .")
      }
    }

    func run() throws {
      if let address { try EndpointPolicy.check(address, .connecting, .keys) }
      let path = output ?? "\(name).join"
      if FileManager.default.fileExists(atPath: path) {
        throw Failure("\(path): is already there and is not overwritten; give another name with -o", .badInput)
      }
      try checkOutput(path)
      let folder = try place.folder()
      let isNew = !folder.exists
      try folder.create()
      let join = try folder.add(name: name, role: role, address: address, at: Date())
      do {
        try join.write(to: path)
      } catch {
        folder.remove(name: name)
        throw error
      }
      Console.print(path)
      if isNew { Console.remark("\(folder.path): a folder of keys was made, with the coordinator's own in it") }
      let flag = address == nil ? "--connect tcp://HOST:PORT " : ""
      let use =
        role == .worker
        ? "groksweep worker \(flag)--join \(ShellWords.quoted(path))"
        : "groksweep status \(flag)--join \(ShellWords.quoted(path))"
      Console.remark(
        "\(path): a secret; whoever has it may join as \(role.rawValue) \"\(name)\". Carry it there (scp -p), then: \(use)"
      )
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the keys of a coordinator.")

    @OptionGroup var place: Place
    @Flag(help: "One JSON line for each key.") var json = false

    private struct Line: Encodable {
      let name: String
      let role: String
      let public_key: String
      let created: String
      let revoked: String?
    }

    func run() throws {
      let cards = try place.folder().readExisting().cards
      if json {
        for card in cards {
          let line = Line(
            name: card.name, role: card.role.rawValue, public_key: card.publicKey, created: card.created,
            revoked: card.revoked)
          Console.print(try jsonLine(line))
        }
        return
      }
      if cards.isEmpty { return Console.remark("no key yet; make one with: groksweep keys new NAME") }
      var table = TextTable(["name", "role", "key", "created", "revoked"].map { (title: $0, alignment: .left) })
      for card in cards {
        table.append([card.name, card.role.rawValue, "\(card.publicKey.prefix(8))…", card.created, card.revoked ?? ""])
      }
      Console.print(table.text)
    }
  }

  struct Revoke: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Let a key in no longer.",
      discussion: """
        A coordinator that runs refuses it within a second, also on connections that stand. The name is not given again.
        """)

    @Argument(help: "The key's name.") var name: String
    @OptionGroup var place: Place

    func run() throws {
      let folder = try place.folder()
      let before = try folder.readExisting().cards.first { $0.name == name }?.revoked
      let card = try folder.revoke(name: name, at: Date())
      let when = card.revoked ?? ""
      Console.print(before == nil ? "\(name): revoked on \(when)" : "\(name): was revoked on \(when) already")
    }
  }
}

extension Role: ExpressibleByArgument {}

extension KeyFolder {
  /// What is in it, for commands that need it to be there.
  fileprivate func readExisting() throws -> KeyRing {
    guard exists else {
      throw Failure("\(path): no such folder of keys; `groksweep keys new NAME` makes it", .badInput)
    }
    return try read()
  }
}
