// The figures of a run, of every kind of run: drawn, or a sentence that says why not; and the page that shows them.

import Figures
import Foundation
import FoundationXML
import Grokking
import Kernels
import Reports
import Results
import Sweeps
import Testing

@Suite struct RunFigureTests {
  /// Small enough to train in a moment, with every measure.
  private static func experiment(
    _ operation: Grokking.Operation = .add, modulus: Int = 11, learningRate: Double = 1e-3
  ) -> Experiment {
    Experiment(
      task: LearningTask(operation: operation, modulus: modulus, trainFraction: 0.5),
      model: ModelShape(dModel: 16, heads: 2, dMLP: 32, dVocabOut: modulus + 1),
      training: TrainingSettings(epochs: 60, learningRate: learningRate), measure: MeasureSettings(evaluateEvery: 20))
  }

  /// Trained here, with its weights, as the figures take it.
  private static func subject(_ experiment: Experiment, hasWeights: Bool = true) throws -> RunSubject {
    let run = try Run(
      experiment, from: Start(experiment), kernels: KernelPath.choose(named: nil), snapshots: .inMemory())
    while !run.isFinished { try run.advance() }
    let result = try run.result()
    var subject = RunSubject(
      point: PointID(of: experiment), experiment: experiment, result: result, weights: RunSubject.weightsNotLoaded)
    if hasWeights, result.finalModel != nil {
      let file = ModelFile(
        weights: run.weights, trainMask: nil,
        metadata: ["point": subject.point.hex, "epoch": "\(result.epochs)"])
      try subject.load(weights: file.serialized(), fileName: "w.safetensors")
    }
    return subject
  }

  /// Whether it can be read as XML.
  private static func isWellFormed(_ svg: String) -> Bool { XMLParser(data: Data(svg.utf8)).parse() }

  @Test func `a run with its weights has every figure, with a caption and data`() throws {
    for operation in [Grokking.Operation.add, .subtract, .multiply] {
      let subject = try Self.subject(Self.experiment(operation))
      for kind in RunFigure.allCases {
        let figure = kind.figure(of: subject)
        #expect(figure.name == kind.rawValue && figure.title == kind.title)
        #expect(figure.absence == nil, "\(operation) \(kind): \(figure.absence ?? "")")
        #expect(!figure.isEmpty, "\(operation) \(kind)")
        #expect(figure.caption.hasSuffix("."), "\(figure.caption)")
        #expect(!figure.table.rows.isEmpty)
        #expect(figure.table.rows.allSatisfy { $0.count == figure.table.columns.count }, "\(kind)")
        let svg = figure.svg()
        // Cells are pictures in base64, in which any letters may stand together.
        let drawn = svg.replacing(/base64,[A-Za-z0-9+\/=]+/, with: "").replacing("Nanda", with: "")
        #expect(Self.isWellFormed(svg) && !drawn.lowercased().contains("nan"), "\(kind)")
      }
    }
  }

  @Test func `figures with phases have a line where the run grokked, and none where it did not`() throws {
    var subject = try Self.subject(Self.experiment(), hasWeights: false)
    let kinds = [RunFigure.progress, .ginis, .weights, .excludedByFrequency, .cosineCoefficients]
    subject.result.outcome = .grokked(memorization: 10, grokking: 40)
    for kind in kinds {
      let references = kind.figure(of: subject).panels[0].references
      #expect(references == [Reference(.vertical, at: 40, "grokked (epoch 40)", .ink)], "\(kind)")
    }
    subject.result.outcome = .memorized(memorization: 10, censoredAfter: 60)
    for kind in kinds { #expect(kind.figure(of: subject).panels[0].references.isEmpty, "\(kind)") }
  }

  @Test func `an operation without waves has no measures that need them, and says so`() throws {
    let subject = try Self.subject(Self.experiment(.x2xyy2))
    for kind in [RunFigure.progress, .excludedByFrequency, .cosineCoefficients, .ablations] {
      #expect(kind.figure(of: subject).absence?.contains("x2xyy2 modulo 11") == true, "\(kind)")
    }
    for kind in [RunFigure.losses, .ginis, .embeddingSpectrum, .neurons, .logitSpectrum] {
      #expect(kind.figure(of: subject).absence == nil, "\(kind)")
    }
  }

  @Test func `without weights the figures that need them say where weights come from`() throws {
    let subject = try Self.subject(Self.experiment(), hasWeights: false)
    for kind in RunFigure.allCases {
      let figure = kind.figure(of: subject)
      #expect((figure.absence != nil) == kind.needsWeights, "\(kind)")
      #expect(Self.isWellFormed(figure.svg()))
    }
  }

  @Test func `a run that diverged has its curves as far as they go, and no model`() throws {
    let subject = try Self.subject(Self.experiment(learningRate: 1e30))
    guard case .diverged = subject.result.outcome else {
      Issue.record("it ended as \(subject.result.outcome)")
      return
    }
    for kind in RunFigure.allCases {
      let figure = kind.figure(of: subject)
      #expect(Self.isWellFormed(figure.svg()))
      if kind.needsWeights || kind == .ablations || kind == .embeddingSpectrum {
        #expect(figure.absence?.contains("diverged at epoch") == true, "\(kind): \(figure.absence ?? "")")
      }
    }
    var nothing = subject
    nothing.result.evaluations = []
    #expect(RunFigure.losses.figure(of: nothing).absence?.contains("before its first evaluation") == true)
  }

  @Test func `weights of another run are refused in words`() throws {
    var subject = try Self.subject(Self.experiment(), hasWeights: false)
    func refusal(_ metadata: [String: String], of experiment: Experiment) -> String {
      let file = ModelFile(
        weights: Parameters(ParameterLayout(experiment)), trainMask: nil, metadata: metadata)
      do {
        try subject.load(weights: file.serialized(), fileName: "w.safetensors")
        return ""
      } catch { return "\(error)" }
    }
    let own = Self.experiment()
    #expect(refusal([:], of: own).contains("does not say of which point"))
    #expect(refusal(["point": String(repeating: "0", count: 64)], of: own).contains("of point 000000000000"))
    #expect(refusal(["point": subject.point.hex, "epoch": "40"], of: own).contains("after 40 epochs"))
    #expect(refusal(["point": subject.point.hex], of: Self.experiment(modulus: 13)).contains("another shape"))
  }

  @Test func `the page of a run shows every figure, escapes what it is told, and fetches nothing`() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "groksweep-test-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (store, subject) = try Self.stored(in: folder)
    let page = RunReport(subject, story: try store.story(of: subject.point), store: "a<b>.sqlite").html
    for kind in RunFigure.allCases { #expect(page.contains("id=\"figure-\(kind.rawValue)\""), "\(kind)") }
    #expect(!page.contains("<img") && page.contains("seed=0 &lt;img src=x&gt;"))
    for fetched in ["src=\"http", "href=\"http", "url(http", "@import"] { #expect(!page.contains(fetched)) }
    #expect(page.contains("default-src 'none'"))
    #expect(page.contains(subject.result.digest))
  }

  @Test func `a point without a result has no figures, and the error says where it stands`() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "groksweep-test-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (store, _) = try Self.stored(in: folder)
    let point = PointID(of: Self.experiment(.subtract))
    #expect(throws: RunFigureError.self) { try RunSubject(point, in: store) }
    do { _ = try RunSubject(point, in: store) } catch { #expect("\(error)".contains("has no result")) }
  }

  /// A store of a sweep of two points, one of which is finished.
  private static func stored(in folder: URL) throws -> (Store, RunSubject) {
    let store = try Store(path: folder.appending(path: "s.sqlite").path, mode: .create)
    let points = [experiment(), experiment(.subtract)].map { Point(experiment: $0, setting: "seed=0 <img src=x>") }
    let sweep = SweepRegistration(
      name: "s", canonical: "s", fileText: "sweep: s\n", axes: ["seed"], points: points
    ) { _ in [] }
    let now = Date(timeIntervalSince1970: 1_767_225_600)
    _ = try store.register(sweep, at: now)
    let worker = WorkerIdentity(
      boot: String(repeating: "0", count: 32), host: "node", processID: 1, cpu: "cpu", cores: 2, kernelPath: "avx2",
      build: "0")
    try store.recordWorker(WorkerRecord(number: 1, identity: worker), at: now)
    try store.recordGrant(AttemptRecord(lease: LeaseID(1), point: points[0].id, worker: 1), at: now)
    let subject = try subject(experiment())
    _ = try store.store(subject.result, of: subject.point, lease: LeaseID(1), seconds: 1, worker: 1, at: now)
    return (store, subject)
  }
}
