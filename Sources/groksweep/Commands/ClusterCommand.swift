// `groksweep cluster`: a coordinator here and workers on other machines, started and ended from here.

import ArgumentParser

struct ClusterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cluster",
    abstract: "Start workers on other machines, see them, and end them.",
    subcommands: [Up.self, Status.self, Add.self, Down.self, Slurm.self])

  struct Up: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Start a coordinator here and workers on hosts over ssh.")
  }

  struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Say how each host stands.")
  }

  struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Start workers on one more host.")
  }

  struct Down: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Hand the points back, then end the workers and the coordinator.")
  }
}
