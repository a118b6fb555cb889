// `top` as a person uses it: in a pipe, on a terminal, and with keys.

import Foundation
import TestSupport
import Testing

@Suite struct TopCommandTests {
  /// A point of it takes minutes.
  private static let sweep = """
    sweep: long
    task: {modulus: 7, train_fraction: 0.6}
    model: {d_model: 8, heads: 2, d_mlp: 16}
    training: {epochs: 20000000}
    measure: {evaluate_every: 1000000}
    axes: {seed: {count: 3}}
    """

  /// A coordinator with a worker that trains, while `body` looks at it.
  private func withSweep(_ body: (Folder, String) throws -> Void) throws {
    let folder = try Folder()
    try folder.write(Self.sweep, to: "long.yaml")
    let endpoint = "ipc://\(folder.path("c"))"
    let coordinator = try Groksweep.start(
      ["coordinator", "long.yaml", "--store", "s.sqlite", "--bind", endpoint], in: folder)
    #expect(waitUntil(180) { coordinator.errors.contains("listening on") }, "\(coordinator.errors)")
    let worker = try Groksweep.start(["worker", "--connect", endpoint, "--slots", "1"], in: folder)
    #expect(
      try waitUntil(180) {
        let status = try Groksweep.run(["status", "--connect", endpoint, "--json"], in: folder)
        return status.output.contains("\"test_loss\"")
      })
    try body(folder, endpoint)
    worker.signal(SIGTERM)
    #expect(try worker.end(within: 180).status == 0)
    coordinator.signal(SIGTERM)
    #expect(try coordinator.end(within: 180).status == 0)
  }

  @Test func `in a pipe it prints one screen without colours, of a coordinator and of a store`() throws {
    try withSweep { folder, endpoint in
      let live = try Groksweep.run(["top", "--connect", endpoint], in: folder)
      #expect(live.status == 0, "\(live)")
      for words in ["s.sqlite", "1 slot on 1 machine", "long", "0/3", "MACHINE", "/20,000,000", "TEST LOSS"] {
        #expect(live.output.contains(words), "\(words) is missing:\n\(live.output)")
      }
      #expect(!live.output.contains("\u{1B}"))
      let stored = try Groksweep.run(["top", "--store", "s.sqlite", "--once"], in: folder)
      #expect(stored.status == 0, "\(stored)")
      for words in ["s.sqlite  process ", "1 slot on 1 machine", "long", "0/3", "POINT"] {
        #expect(stored.output.contains(words), "\(words) is missing:\n\(stored.output)")
      }
    }
  }

  @Test(
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/script")),
    arguments: [false, true])
  func `on a terminal it draws a page of its own, and gives the shell's back on q and on Ctrl-C`(isInterrupted: Bool)
    throws
  {
    try withSweep { folder, endpoint in
      let keys = isInterrupted ? "\\003" : "pq"
      // `script` is the terminal. Its input comes by a pipe that stays open until the screen was seen.
      let command = "\(Groksweep.path) top --connect \(endpoint)"
      try folder.write(
        """
        mkfifo keys
        (TERM=xterm script -qec 'stty rows 24 cols 80; exec \(command)' typescript < keys > screen.txt; echo $? > status.txt) &
        exec 3> keys
        for i in $(seq 600); do grep -q "TEST LOSS" screen.txt 2>/dev/null && break; sleep 0.1; done
        printf '\(keys)' >&3
        wait
        """, to: "session.sh")
      let session = try Running("/bin/bash", ["session.sh"], in: folder)
      #expect(try session.end(within: 120).status == 0)
      let screen = try String(contentsOfFile: folder.path("screen.txt"), encoding: .utf8)
      let status = try String(contentsOfFile: folder.path("status.txt"), encoding: .utf8)
      #expect(status == (isInterrupted ? "130\n" : "0\n"), "\(screen.suffix(500))")
      #expect(screen.contains("\u{1B}[?1049h") && screen.contains("long"))
      #expect(screen.contains("\u{1B}[?1049l") && screen.contains("\u{1B}[?25h"))
    }
  }

  @Test func `nobody there ends it with 69, and a store that is none with 65`() throws {
    let folder = try Folder()
    let nobody = try Groksweep.run(["top", "--connect", "ipc://\(folder.path("c"))", "--timeout", "0.2"], in: folder)
    #expect(nobody.status == 69 && nobody.output.isEmpty, "\(nobody)")
    #expect(try Groksweep.run(["top", "--store", "none.sqlite"], in: folder).status == 65)
  }
}
