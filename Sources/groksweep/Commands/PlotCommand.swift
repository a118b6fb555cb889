// `groksweep plot`: one figure as a file: SVG, its data as CSV, and PNG or PDF by librsvg where it is installed.

import ArgumentParser
import Figures
import Foundation
import Reports
import Results
import Sweeps

extension Theme: ExpressibleByArgument {}

struct PlotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot",
    abstract: "Draw one figure of a run or of a sweep.",
    discussion: """
      The output's name says its kind: .svg, .png, .pdf or .csv (the figure's data). PNG and PDF are made by rsvg-convert. \
      Figures and what they show are described in docs/reference/figures.md; --list names them. What there is nothing of is a \
      sentence and exit code 1, and no file.

        groksweep plot losses --store paper.sqlite --point 3f2a91 -o losses.svg
        groksweep plot phase-diagram --store weight-decay.sqlite -o phases.svg
        groksweep plot phase-diagram --store weight-decay.sqlite --x weight_decay --y train_fraction -o phases.svg
        groksweep plot attention --store paper.sqlite --point 3f2a91 -o attention.png
        groksweep plot --list
      """)

  @Argument(help: "The figure's name; --list has them all.") var figure: String?
  @OptionGroup var target: StoredRunOptions
  @OptionGroup var diagram: DiagramOptions
  @Option(name: .shortAndLong, help: "The file to write: .svg, .png, .pdf or .csv. Without it: SVG to stdout.")
  var output: String?
  @Option(help: "light or dark.") var theme = Theme.light
  @Option(help: "In pixels, from 240 to 4000.") var width = 720
  @Flag(help: "Name all figures.") var list = false

  func validate() throws {
    guard list || figure != nil else { throw ValidationError("name a figure; --list has them all") }
    guard (240...4000).contains(width) else { throw ValidationError("--width \(width): give 240 to 4000 pixels") }
  }

  func run() throws {
    if list { return Console.print(FigureCatalogue.text) }
    let chosen = try FigureCatalogue.figure(named: figure ?? "")
    try chosen.check(target, diagram)
    if let output {
      try checkOutput(output)
      try refuseDatabase(output)
    }
    let kind = try PictureKind(ofFile: output)
    let (drawn, subject) = try chosen.drawn(of: target, diagram)
    // A picture of nothing would pass for one of something in whatever comes next.
    if let absence = drawn.absence { throw Failure("\(drawn.name) of \(subject): \(absence)", .failed) }
    let bytes: [UInt8]
    switch kind {
    case .csv: bytes = Array(drawn.table.csv.utf8)
    case .svg, .png, .pdf:
      let svg = drawn.svg(Rendering(.file(theme), width: Double(width)))
      bytes = kind == .svg ? Array(svg.utf8) : try SVGConverter.convert(svg, to: kind)
    }
    guard let output else { return try Console.deliver(String(decoding: bytes, as: UTF8.self)) }
    try writeOutput(kind == .svg ? bytes + [UInt8(ascii: "\n")] : bytes, to: output)
    Console.remark("\(output): \(drawn.name) of \(subject)")
  }
}

/// Which run, and where its weights are; or which sweep.
struct StoredRunOptions: ParsableArguments {
  @Option(help: "The store. May be left out when the working folder holds just one.") var store: String?
  @Option(help: "A run: the beginning of its point's id.") var point: String?
  @Option(help: "A sweep. May be left out when the store holds just one.") var sweep: String?
  @Option(help: "The final weights of the point, as `train --save` writes them, in place of the store's.")
  var weights: String?

  /// - Parameter loadsWeights: whether anything is to be drawn from them.
  func subject(loadsWeights: Bool) throws -> RunSubject {
    guard let point else { throw ValidationError("name a run with --point and the beginning of its id") }
    let store = try openStore()
    let id = try store.point(startingWith: point)
    var subject = try RunSubject(id, in: store)
    guard loadsWeights else { return subject }
    if let weights {
      try subject.load(weights: readInput(weights), fileName: weights)
    } else {
      try subject.loadWeights(from: store)
    }
    return subject
  }

  func openStore() throws -> Store {
    let path = try store ?? onlyStoreHere()
    guard FileManager.default.fileExists(atPath: path) else { throw Failure("\(path): no such store", .badInput) }
    return try Store(path: path, mode: .readOnly)
  }
}

/// A figure that somebody asked for.
enum ChosenFigure {
  case run(RunFigure)
  case sweep(SweepFigure)

  /// Refuses a figure of runs for a sweep, the other way round, and axes for what has none to choose.
  func check(_ target: StoredRunOptions, _ diagram: DiagramOptions) throws {
    let hasAxes = if case .sweep(.phaseDiagram) = self { true } else { false }
    guard hasAxes || !diagram.isGiven else {
      throw Failure("--x and --y are the axes of \(SweepFigure.phaseDiagram.rawValue); leave them out", .usage)
    }
    switch self {
    case .run(let figure) where target.sweep != nil && target.point == nil:
      throw Failure(
        "\(figure.rawValue) is a figure of one run: name it with --point; figures of a sweep are "
          + SweepFigure.allCases.map(\.rawValue).joined(separator: ", "), .usage)
    case .sweep(let figure) where target.point != nil:
      throw Failure(
        "\(figure.rawValue) is a figure of a sweep: leave --point out, and name the sweep with --sweep", .usage)
    case .run, .sweep: break
    }
  }

  /// The figure, and what it is of.
  func drawn(of target: StoredRunOptions, _ diagram: DiagramOptions) throws -> (Figure, String) {
    switch self {
    case .run(let figure):
      let subject = try target.subject(loadsWeights: figure.needsWeights)
      return (figure.figure(of: subject), "point \(subject.point.short)")
    case .sweep(let figure):
      let store = try target.openStore()
      let sweep = try target.sweepName(in: store)
      var subject = try SweepSubject(sweep, in: store, for: [figure])
      subject.axes = try diagram.axes(of: subject.settings)
      return (figure.figure(of: subject), "the sweep \(sweep)")
    }
  }
}

/// The names of all figures.
enum FigureCatalogue {
  static var text: String {
    let longest = (RunFigure.allCases.map(\.rawValue) + SweepFigure.allCases.map(\.rawValue)).map(\.count).max() ?? 0
    func line(_ name: String, _ title: String) -> String {
      "  \(name.padding(toLength: longest, withPad: " ", startingAt: 0))  \(title)"
    }
    let runs = RunFigure.allCases.map {
      line($0.rawValue, $0.title + ($0.needsWeights ? " (of the final weights)" : ""))
    }
    let sweeps = SweepFigure.allCases.map { line($0.rawValue, $0.title) }
    return "Of a run, with --point:\n" + runs.joined(separator: "\n") + "\n\nOf a sweep:\n"
      + sweeps.joined(separator: "\n")
  }

  static func figure(named name: String) throws -> ChosenFigure {
    if let figure = RunFigure(rawValue: name) { return .run(figure) }
    if let figure = SweepFigure(rawValue: name) { return .sweep(figure) }
    let (runs, sweeps) = (RunFigure.allCases.map(\.rawValue), SweepFigure.allCases.map(\.rawValue))
    let hint = SweepText.nearest(to: name, among: runs + sweeps).map { "did you mean \($0)? " } ?? ""
    throw Failure(
      "there is no figure \"\(name.prefix(60))\"; \(hint)Of a run there are \(runs.joined(separator: ", ")); of a sweep "
        + sweeps.joined(separator: ", "), .usage)
  }
}

/// What a file of a figure is.
enum PictureKind: String, CaseIterable {
  case svg, png, pdf, csv

  /// - Parameter path: nil: SVG.
  init(ofFile path: String?) throws {
    guard let path else {
      self = .svg
      return
    }
    let ending = path.split(separator: "/").last?.split(separator: ".", omittingEmptySubsequences: false).last
    guard let ending, let kind = PictureKind(rawValue: ending.lowercased()) else {
      throw Failure("\(path): its ending says what is written; give .svg, .png, .pdf or .csv", .usage)
    }
    self = kind
  }
}

/// librsvg's program.
enum SVGConverter {
  private static let program = "rsvg-convert"

  static func convert(_ svg: String, to kind: PictureKind) throws -> [UInt8] {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
    let found = folders.map { "\($0)/\(program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    guard let found else {
      throw Failure(
        "\(kind.rawValue.uppercased()) is made by \(program), which is not installed (Debian and Ubuntu: apt install librsvg2-bin); "
          + "an .svg needs nothing", .failed)
    }
    let source = FileManager.default.temporaryDirectory.appending(path: "groksweep-\(getpid()).svg")
    defer { try? FileManager.default.removeItem(at: source) }
    try Data(svg.utf8).write(to: source)
    let (child, output, complaints) = (Process(), Pipe(), Pipe())
    child.executableURL = URL(filePath: found)
    // Twice as many pixels: screens have them.
    child.arguments = ["-f", kind.rawValue, "-z", kind == .png ? "2" : "1", source.path]
    child.standardOutput = output
    child.standardError = complaints
    try child.run()
    let bytes = [UInt8](output.fileHandleForReading.readDataToEndOfFile())
    let words = String(decoding: complaints.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    child.waitUntilExit()
    guard child.terminationStatus == 0, !bytes.isEmpty else {
      let why = words.split(separator: "\n").first.map(String.init) ?? "it ended with code \(child.terminationStatus)"
      throw Failure("\(program) could not make the \(kind.rawValue): \(why)", .failed)
    }
    return bytes
  }
}
