import Foundation
import Launchers
import Testing

/// The scripts, run by this machine's shells in place of another's.
@Suite struct RemoteScriptTests {
  private static let shells = ["sh", "bash --posix"]

  private func answer(_ script: String, _ shell: String = "sh") throws -> RemoteAnswer {
    let words = shell.split(separator: " ").map(String.init) + ["-s"]
    return RemoteAnswer(try LocalCommand.run(words, input: .text(script), timeoutSeconds: 120).output)
  }

  /// A host whose folder is a new one, with a name that a shell has to be told carefully.
  private func withHost(
    binary: String? = nil, _ act: (RemoteScript, _ folder: String) throws -> Void
  ) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "it's a $HOME \(UUID().uuidString.prefix(8))")
      .path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var settings = HostSettings()
    settings.folder = folder
    settings.binary = binary
    try act(
      RemoteScript(id: "0123abcd", host: ClusterHost(name: "ada", address: "ada", settings: settings)), folder)
  }

  /// A program that says what a worker says, and stays until it is told to go.
  private func makeProgram(in folder: String, _ body: String) throws -> String {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let path = folder + "/a program"
    // Written by another process: whatever this one forks meanwhile would have the file open, and a file that is open for
    // writing cannot be run.
    let words = ["sh", "-c", "cat > \"$1\" && chmod 755 \"$1\"", "sh", path]
    _ = try LocalCommand.run(words, input: .text("#!/bin/sh\n\(body)\n"), timeoutSeconds: 60)
    return path
  }

  @Test(arguments: shells) func `workers are started once, seen, and ended, and nothing is left`(shell: String) throws {
    try withHost { script, folder in
      let program = try makeProgram(
        in: folder + "-programs",
        "trap 'echo handed over; exit 0' TERM; echo \"groksweep: welcome as worker 1 $*\"; while :; do sleep 0.05; done"
      )
      defer { try? FileManager.default.removeItem(atPath: folder + "-programs") }
      let look = try answer(script.look, shell)
      #expect(look.isWhole && look["alive"] == nil && look["no_disk"] == nil)
      #expect(look["folder"] == folder + "/0123abcd-ada")
      #expect(look.all("free").count == 1)

      let start = script.start(program: program, address: nil, hasKeys: true, logFrom: 0)
      let started = try answer(start, shell)
      #expect(started["started"] != nil, "\(started)")
      #expect(started.log.contains("--connect ipc://\(folder)/0123abcd-ada/c --join \(folder)/0123abcd-ada/join"))
      #expect(try answer(start, shell)["running"] == started["started"])
      let status = try answer(script.status(logFrom: started.log.utf8.count - 1), shell)
      #expect(status["alive"] == started["started"] && status.log == "\n")

      let stopped = try answer(script.stop(logFrom: started.log.utf8.count), shell)
      #expect(stopped["left"] != nil && stopped.log == "handed over\n", "\(stopped)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
      #expect(try answer(script.stop(logFrom: 0), shell)["none"] != nil)
    }
  }

  @Test(arguments: shells) func `two starts at the same time start workers once`(shell: String) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "starts-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let program = try makeProgram(
      in: folder, "trap 'exit 0' TERM; sleep 0.3; echo 'welcome as worker 1'; while :; do sleep 0.05; done")
    try withHost { script, _ in
      _ = try answer(script.look, shell)
      let start = script.start(program: program, address: nil, hasKeys: false, logFrom: 0)
      let words = shell.split(separator: " ").map(String.init) + ["-s"]
      let outputs = inParallel([0, 1, 2]) { _ in
        (try? LocalCommand.run(words, input: .text(start), timeoutSeconds: 120).output) ?? ""
      }
      let answers = outputs.map { RemoteAnswer($0) }
      #expect(answers.count { $0["started"] != nil } == 1 && answers.count { $0["running"] != nil } == 2, "\(answers)")
      #expect(Set(answers.compactMap { $0["started"] ?? $0["running"] }).count == 1, "\(answers)")
      #expect(try answer(script.stop(logFrom: 0), shell)["left"] != nil)
    }
  }

  @Test func `a copy goes with the cluster that wanted it, unless it is to stay or others run it`() throws {
    try withHost { script, folder in
      func bring() throws -> String {
        _ = try answer(script.look)
        let sleep = try CopiedFile(path: "/bin/sleep")
        _ = try answer(script.program(copy: sleep.sha256))
        let line = script.takeProgram(checksum: sleep.sha256)
        _ = try LocalCommand.run(["sh", "-c", line], input: .file("/bin/sleep"), timeoutSeconds: 60)
        return folder + "/groksweep-" + sleep.sha256.prefix(16)
      }
      let copy = try bring()
      #expect(access(copy, X_OK) == 0)
      #expect(try answer(script.stop(logFrom: 0, keepsCopies: true))["removed"] == nil && access(copy, X_OK) == 0)

      _ = try bring()
      let other = Process()
      other.executableURL = URL(fileURLWithPath: copy)
      other.arguments = ["600"]
      try other.run()
      #expect(try answer(script.stop(logFrom: 0))["removed"] == nil && access(copy, X_OK) == 0)
      // Threads of tests have signals blocked, and their children with them.
      kill(other.processIdentifier, SIGKILL)
      other.waitUntilExit()

      _ = try bring()
      #expect(try answer(script.stop(logFrom: 0))["removed"] == copy.split(separator: "/").last.map(String.init))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }
  }

  @Test func `a program that ends at once is told with its last words`() throws {
    try withHost { script, folder in
      let program = try makeProgram(in: folder + "-programs", "echo 'no such thing'; exit 3")
      defer { try? FileManager.default.removeItem(atPath: folder + "-programs") }
      _ = try answer(script.look)
      let started = try answer(script.start(program: program, address: "tcp://c:5", hasKeys: false, logFrom: 0))
      #expect(started["ended"] != nil && started.all("last") == ["no such thing"], "\(started)")
    }
  }

  @Test func `the program is looked for, and its version asked`() throws {
    try withHost(binary: "/nowhere/groksweep") { script, _ in
      _ = try answer(script.look)
      let there = try answer(script.program(copy: nil))
      #expect(there.isWhole && there["program"] == nil)
    }
    let other = FileManager.default.temporaryDirectory.appending(path: "programs-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: other) }
    let program = try makeProgram(in: other, "echo '{\"build\":\"1\",\"protocol_version\":2,\"engine_semantics\":3}'")
    try withHost(binary: program) { script, _ in
      _ = try answer(script.look)
      let there = try answer(script.program(copy: nil))
      let text = try #require(there["version"])
      let version = try JSONDecoder().decode(ProgramVersion.self, from: Data(text.utf8))
      #expect(version == ProgramVersion(build: "1", protocolVersion: 2, engineSemantics: 3))
    }
  }

  @Test func `a copy gets its name only when it is what was sent`() throws {
    try withHost { script, folder in
      _ = try answer(script.look)
      let source = folder + "/source"
      try "content".write(toFile: source, atomically: true, encoding: .utf8)
      let file = try CopiedFile(path: source)
      func send(_ line: String) throws -> RemoteAnswer {
        RemoteAnswer(try LocalCommand.run(["sh", "-c", line], input: .file(source), timeoutSeconds: 60).output)
      }
      let good = try send(script.takeJoin(checksum: file.sha256))
      #expect(good["sha256"] == file.sha256)
      let join = folder + "/0123abcd-ada/join"
      #expect(FileManager.default.contents(atPath: join) == Data("content".utf8))
      #expect(try FileManager.default.attributesOfItem(atPath: join)[.posixPermissions] as? Int == 0o600)
      #expect(try answer(script.joinChecksum)["sha256"] == file.sha256)
      let wrong = String(repeating: "0", count: 64)
      #expect(try send(script.takeProgram(checksum: wrong))["sha256"] == file.sha256)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["0123abcd-ada", "source"])
    }
  }

  @Test func `an answer among other words is found, and one that was cut short is none`() {
    let text =
      "Welcome to ada!\n@groksweep host ada 1\n@groksweep log\na\n@groksweep end of nothing\nb\n\n@groksweep end\n"
    let answer = RemoteAnswer(text)
    #expect(answer.isWhole && answer["host"] == "ada 1")
    #expect(answer.log == "a\n@groksweep end of nothing\nb\n")
    #expect(!RemoteAnswer(String(text.dropLast())).isWhole)
  }
}
