// What is kept of runs beside their numbers, for the commands that have points trained.

import ArgumentParser

struct KeepOptions: ParsableArguments {
  @Flag(help: "Keep how censored runs end beside the store, so that extend goes on from there.")
  var keepCensored = false
  @Flag(
    name: .customLong("no-weights"),
    help: "Store no final weights with the results: smaller by 4 bytes a parameter, and without the figures of them.")
  var withoutWeights = false

  /// As on the command line.
  var words: [String] {
    (keepCensored ? ["--keep-censored"] : []) + (withoutWeights ? ["--no-weights"] : [])
  }
}
