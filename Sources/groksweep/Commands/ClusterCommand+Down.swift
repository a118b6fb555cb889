// `groksweep cluster down`: everything that `up` and `add` started comes to its end.

import ArgumentParser
import Launchers
import Reports

extension ClusterCommand {
  struct Down: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Hand the points back, then end the workers and the coordinator.",
      discussion: """
        Workers checkpoint, hand their checkpoints and points over and leave; then the coordinator stops, if `up` started \
        it, the connections close, and programs and keys that were copied are removed, the keys also revoked. Nothing is \
        lost: `up` goes on from there. A host that cannot be reached is named and kept in mind; say `down` again when it is back.

          groksweep cluster down --store wd.sqlite
        """)

    @OptionGroup var place: ClusterStore
    @Flag(help: "Give hosts up that cannot be reached, and whatever is left there.") var forget = false
    @Flag(help: "Leave programs that were copied where they are, for the next time.") var keepCopies = false

    func run() throws {
      let lines = ClusterLines("waiting for workers to hand over and leave")
      defer { lines.screen.clear() }
      let ended = try place.cluster(tell: lines.tell).down(
        forgets: forget, keepsCopies: keepCopies)
      var failed = 0
      for host in ended {
        switch host.outcome {
        case .success(.left): lines.screen.remark("\(host.host): its workers handed over and left")
        case .success(.killed): lines.screen.remark("\(host.host): its workers did not leave and were killed")
        case .success(.none): lines.screen.remark("\(host.host): had no workers")
        case .failure(let trouble):
          failed += 1
          lines.screen.remark("\(host.host): failed: \(trouble)")
        }
      }
      guard failed == 0 else {
        lines.screen.remark(
          "\(Wording.count(failed, "host")) may still have workers; "
            + (forget
              ? "forgotten: without a coordinator and a key they do nothing"
              : "give the same command again when that is mended, or with --forget if it never will be"))
        throw ExitStatus.failed.thrown
      }
    }
  }
}
