// Longer runs that go on where censored ones ended, on another machine: each the same, bit for bit, as a run that went
// straight through.

import Cluster
import Foundation
import Grokking
import Kernels
import Results
import Sweeps
import Testing

@Suite struct EndedRunTests {
  private static let keeping = SchedulerConfiguration(progressSeconds: 0.01, keepsCensored: true)

  /// What a checkpoint has to bring along for the next epoch to be the same.
  enum Variant: CaseIterable {
    case adamW, grokfast, momentum, warmup, batches, afterGrokking, betweenEvaluations

    func change(_ experiment: inout Experiment) {
      switch self {
      case .adamW: break
      case .grokfast: experiment.training.grokfastLambda = 2
      case .momentum: (experiment.training.optimizer, experiment.training.momentum) = (.sgd, 0.9)
      case .warmup: experiment.training.warmupEpochs = 80
      case .batches: experiment.training.batchSize = 7
      case .afterGrokking: experiment.stop.afterGrokking = 10
      case .betweenEvaluations: experiment.measure.evaluateEvery = 7
      }
    }
  }

  /// A sweep of one point, which one worker of its own machine finishes.
  private func run(
    _ name: String, _ experiment: Experiment, in fixture: Fixture, scratch: String,
    _ scheduler: SchedulerConfiguration = keeping
  ) throws -> String? {
    let point = Point(experiment: experiment, setting: "")
    _ = try fixture.store.register(
      SweepRegistration(
        name: name, canonical: "{\"\(name)\":1}", fileText: "sweep: \(name)", axes: ["seed"], points: [point],
        differences: { _ in [] }),
      at: Date())
    let worker = try fixture.worker(scratch: fixture.folder + "/" + scratch)
    #expect(try fixture.coordinate(sweeps: [name], scheduler).ending == .everyPointTerminal)
    #expect(try worker.end().code == 0)
    return try fixture.store.runs(of: name).first?.digest
  }

  private func experiment(_ variant: Variant = .adamW, epochs: Int) -> Experiment {
    var experiment = Fixture.experiment(seed: 3, epochs: 60)
    experiment.training.epochs = epochs
    variant.change(&experiment)
    return experiment
  }

  private func digest(of experiment: Experiment) throws -> String {
    try Fixture.digest(of: Point(experiment: experiment, setting: ""))
  }

  @Test(arguments: Variant.allCases)
  func `a censored run goes on elsewhere from where it ended, again and again`(variant: Variant) throws {
    let fixture = try Fixture(points: 1)
    let ended = EndedRuns(besides: fixture.store.path)
    for (number, epochs) in [60, 100, 145].enumerated() {
      let experiment = experiment(variant, epochs: epochs)
      let earlier = ended.contents(for: experiment)?.epoch
      #expect(earlier == [nil, 60, 100][number])
      let digest = try run("to-\(epochs)", experiment, in: fixture, scratch: "machine-\(number)")
      #expect(try digest == self.digest(of: experiment))
      #expect(ended.size.runs == 1)
      if let earlier { #expect(fixture.lines.contains("goes on from its checkpoint at epoch \(earlier)")) }
    }
    // The furthest one only, and nothing else.
    let root = fixture.folder + "/store.checkpoints"
    #expect(try FileManager.default.contentsOfDirectory(atPath: root) == ["ended"])
  }

  @Test func `how a run ended is kept though the coordinator was killed after the commit of its result`() throws {
    let fixture = try Fixture(points: 1)
    let first = experiment(epochs: 60)
    _ = try run("to-60", first, in: fixture, scratch: "a")
    // As the kill leaves it.
    let root = fixture.folder + "/store.checkpoints/"
    let place = root + "ended/" + first.lineage!.hex
    try FileManager.default.moveItem(atPath: place, toPath: root + PointID(of: first).hex)
    let longer = experiment(epochs: 100)
    let digest = try run("to-100", longer, in: fixture, scratch: "b")
    #expect(try digest == self.digest(of: longer))
    #expect(fixture.lines.contains("goes on from its checkpoint at epoch 60"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: root) == ["ended"])
  }

  @Test func `checkpoints of unknown points keep nobody from starting, and damaged ones replace nothing`()
    throws
  {
    let fixture = try Fixture(points: 1)
    let first = experiment(epochs: 60)
    _ = try run("to-60", first, in: fixture, scratch: "a")
    let root = fixture.folder + "/store.checkpoints/"
    let place = root + "ended/" + first.lineage!.hex
    // Of a point that nobody knows; and a later end of this very lineage, whose weights were lost with the power.
    try FileManager.default.copyItem(atPath: place, toPath: root + String(repeating: "0", count: 64))
    let later = experiment(epochs: 100)
    _ = try run("to-100", later, in: fixture, scratch: "b")
    try FileManager.default.moveItem(atPath: place, toPath: root + PointID(of: later).hex)
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
    try Data().write(to: URL(fileURLWithPath: root + PointID(of: later).hex + "/weights-2"))
    let longest = experiment(epochs: 145)
    let digest = try run("to-145", longest, in: fixture, scratch: "c")
    #expect(try digest == self.digest(of: longest))
    #expect(fixture.lines.contains("the kept checkpoint of point \(PointID(of: later).short) is of no use"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: root) == ["ended"])
  }

  @Test func `where the rates depend on the end, nothing is kept and a longer run begins at its start`() throws {
    let fixture = try Fixture(points: 1)
    for epochs in [60, 100] {
      var experiment = experiment(epochs: epochs)
      experiment.training.schedule = .cosine
      let digest = try run("to-\(epochs)", experiment, in: fixture, scratch: "a")
      #expect(try digest == self.digest(of: experiment))
    }
    #expect(!EndedRuns(besides: fixture.store.path).exist)
  }

  enum Damage: CaseIterable { case checkpoint, weights, missing, folder, foreign }

  @Test(arguments: Damage.allCases)
  func `what is damaged or missing of how a run ended costs epochs, not the run`(damage: Damage) throws {
    let fixture = try Fixture(points: 1)
    _ = try run("short", experiment(epochs: 60), in: fixture, scratch: "a")
    let longer = experiment(epochs: 100)
    let ended = EndedRuns(besides: fixture.store.path)
    let place = ended.root + "/" + longer.lineage!.hex
    func flip(_ name: String) throws {
      let url = URL(fileURLWithPath: place + "/" + name)
      var bytes = try Data(contentsOf: url)
      bytes[bytes.count - 9] ^= 1
      try bytes.write(to: url)
    }
    switch damage {
    case .checkpoint: try flip("checkpoint-60")
    case .weights: try flip("weights-2")
    case .missing: try FileManager.default.removeItem(atPath: place + "/weights-2")
    case .folder: try FileManager.default.removeItem(atPath: ended.root)
    case .foreign:
      // Whole, and of another run of the same size.
      var other = experiment(epochs: 60)
      other.modelSeed += 1
      _ = try run("other", other, in: fixture, scratch: "b")
      try FileManager.default.removeItem(atPath: place)
      try FileManager.default.moveItem(atPath: ended.root + "/" + other.lineage!.hex, toPath: place)
    }
    let digest = try run("long", longer, in: fixture, scratch: "c")
    #expect(try digest == self.digest(of: longer))
    #expect(!fixture.lines.contains("goes on from its checkpoint at epoch 60"))
  }

  @Test func `without being asked for, nothing is kept`() throws {
    let fixture = try Fixture(points: 1)
    _ = try run(
      "short", experiment(epochs: 60), in: fixture, scratch: "a", SchedulerConfiguration(progressSeconds: 0.01))
    #expect(!EndedRuns(besides: fixture.store.path).exist)
  }

  @Test func `a run that goes on keeps checkpoints of its own, and leaves what it borrowed as it was`() throws {
    let fixture = try Fixture(points: 1)
    _ = try run("short", experiment(epochs: 60), in: fixture, scratch: "a")
    let ended = EndedRuns(besides: fixture.store.path)
    let long = experiment(epochs: 200_000)
    let place = ended.root + "/" + long.lineage!.hex
    let before = try FileManager.default.contentsOfDirectory(atPath: place).sorted()
    _ = try fixture.store.register(
      SweepRegistration(
        name: "long", canonical: "{}", fileText: "sweep: long", axes: ["seed"],
        points: [Point(experiment: long, setting: "")], differences: { _ in [] }), at: Date())
    var scheduler = Self.keeping
    scheduler.checkpointSeconds = 0.05
    let first = try fixture.worker(scratch: fixture.folder + "/b", checkpointSeconds: 0.05)
    let shelf = fixture.folder + "/store.checkpoints/" + PointID(of: long).hex
    let end = try fixture.coordinate(sweeps: ["long"], scheduler) { _, interrupt in
      if access(shelf + "/contents", F_OK) == 0 { interrupt.request(SIGTERM) }
    }
    #expect(end.interruptedBy == SIGTERM)
    #expect(try first.end().code == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: place).sorted() == before)
    // What is its own is whole without what it borrowed.
    try FileManager.default.removeItem(atPath: ended.root)
    let second = try fixture.worker(scratch: fixture.folder + "/c")
    #expect(try fixture.coordinate(sweeps: ["long"], scheduler).ending == .everyPointTerminal)
    #expect(try second.end().code == 0)
    #expect(try fixture.store.runs(of: "long").map(\.digest) == [digest(of: long)])
    #expect(!fixture.lines.contains("cannot be used, so point"))
  }
}
