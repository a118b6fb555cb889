// The messages that every point needs, in the form of WireForm.swift: grant, finished, receipt, and progress. Byte for byte
// what WireFrames.swift writes, and read only if it is: everything else, and everything that breaks a rule, is for
// WireFrames.swift, whose sentences say why.

import Grokking

package enum WireForms {
  /// nil: not a message for here, or not one that may be sent.
  package static func frame(of message: WorkerMessage) -> [UInt8]? {
    var writer = WireFormWriter()
    switch message {
    case .finished(var lease, var point, let result, var seconds):
      guard var wired = try? WireResult(result) else { return nil }
      finished(&writer, &lease, &point, &wired, &seconds)
    case .progress(var lease, var current, var epochsPerSecond):
      progress(&writer, &lease, &current, &epochsPerSecond)
    default: return nil
    }
    return writer.text
  }

  package static func frame(of message: CoordinatorMessage) -> [UInt8]? {
    var writer = WireFormWriter()
    switch message {
    case .grant(var lease, var point, var experiment, nil): grant(&writer, &lease, &point, &experiment)
    case .receipt(var lease, var point): receipt(&writer, &lease, &point)
    default: return nil
    }
    return writer.text
  }

  /// - Parameter frames: of lengths that were checked.
  package static func workerMessage(_ frames: [[UInt8]]) -> WorkerMessage? {
    var reader = WireFormReader(frames[0])
    var lease = LeaseID(0)
    if (2...3).contains(frames.count), ends(frames[0], with: "\"finished\"}") {
      var (point, seconds, wired) = (PointID.blank, 0.0, WireResult.blank)
      finished(&reader, &lease, &point, &wired, &seconds)
      guard reader.isDone, (0...1e12).contains(seconds),
        let result = try? wired.result(curve: frames[1], weights: frames.count > 2 ? frames[2] : nil)
      else { return nil }
      return .finished(lease: lease, point: point, result, seconds: seconds)
    }
    guard frames.count == 1, ends(frames[0], with: "\"progress\"}") else { return nil }
    var (current, epochsPerSecond) = (RunProgress(stage: .training, epoch: 0, epochs: 0, work: 0, totalWork: 0), 0.0)
    progress(&reader, &lease, &current, &epochsPerSecond)
    guard reader.isDone, (0...1e12).contains(epochsPerSecond), (try? WireBounds.check(current)) != nil else {
      return nil
    }
    return .progress(lease: lease, current, epochsPerSecond: epochsPerSecond)
  }

  /// - Parameter frames: of lengths that were checked.
  package static func coordinatorMessage(_ frames: [[UInt8]]) -> CoordinatorMessage? {
    guard frames.count == 1 else { return nil }
    var reader = WireFormReader(frames[0])
    var (lease, point) = (LeaseID(0), PointID.blank)
    if ends(frames[0], with: "\"receipt\"}") {
      receipt(&reader, &lease, &point)
      return reader.isDone ? .receipt(lease: lease, point: point) : nil
    }
    guard ends(frames[0], with: "\"grant\"}") else { return nil }
    var experiment = Experiment()
    grant(&reader, &lease, &point, &experiment)
    guard reader.isDone, experiment.problems().isEmpty else { return nil }
    return .grant(lease: lease, point: point, experiment)
  }

  /// Which message it may be: `type` is the last key of all of them.
  private static func ends(_ frame: [UInt8], with end: StaticString) -> Bool {
    end.withUTF8Buffer { frame.suffix($0.count).elementsEqual($0) }
  }

  // MARK: - The messages

  private static func finished(
    _ form: inout some WireForm, _ lease: inout LeaseID, _ point: inout PointID, _ wired: inout WireResult,
    _ seconds: inout Double
  ) {
    form.message("finished") { form in
      form.attempt(&lease, &point)
      form.object("result") { form in result(&form, &wired) }
      form.number("seconds", &seconds)
    }
  }

  private static func progress(
    _ form: inout some WireForm, _ lease: inout LeaseID, _ current: inout RunProgress, _ epochsPerSecond: inout Double
  ) {
    form.open()
    form.number("epochs_per_second", &epochsPerSecond)
    form.version()
    form.lease(&lease)
    form.object("progress") { form in
      form.whole("epoch", &current.epoch)
      form.whole("epochs", &current.epochs)
      form.word("stage", &current.stage)
      form.number("test_accuracy", &current.testAccuracy)
      form.number("test_loss", &current.testLoss)
      form.whole("total_work", &current.totalWork)
      form.number("train_accuracy", &current.trainAccuracy)
      form.number("train_loss", &current.trainLoss)
      form.whole("work", &current.work)
    }
    form.type("progress")
    form.close()
  }

  private static func receipt(_ form: inout some WireForm, _ lease: inout LeaseID, _ point: inout PointID) {
    form.message("receipt") { form in form.attempt(&lease, &point) }
  }

  private static func grant(
    _ form: inout some WireForm, _ lease: inout LeaseID, _ point: inout PointID, _ granted: inout Experiment
  ) {
    form.open()
    form.object("experiment") { form in experiment(&form, &granted) }
    form.version()
    form.attempt(&lease, &point)
    form.type("grant")
    form.close()
  }

  // MARK: - Their parts

  private static func experiment(_ form: inout some WireForm, _ granted: inout Experiment) {
    form.whole("data_seed", &granted.dataSeed)
    form.object("measure") { form in form.whole("evaluate_every", &granted.measure.evaluateEvery) }
    form.object("model") { form in
      form.word("activation", &granted.model.activation)
      form.key("biases")
      form.truth(&granted.model.biases)
      form.whole("d_mlp", &granted.model.dMLP)
      form.whole("d_model", &granted.model.dModel)
      form.whole("d_vocab_out", &granted.model.dVocabOut)
      form.whole("heads", &granted.model.heads)
      form.number("initialization_scale", &granted.model.initializationScale, unless: 1)
    }
    form.whole("model_seed", &granted.modelSeed)
    form.object("stop") { form in form.whole("after_grokking", &granted.stop.afterGrokking) }
    form.object("task") { form in
      form.number("label_noise", &granted.task.labelNoise, unless: 0)
      form.whole("modulus", &granted.task.modulus)
      form.word("operation", &granted.task.operation)
      form.number("train_fraction", &granted.task.trainFraction)
    }
    let usual = TrainingSettings()
    form.object("training") { form in
      form.whole("batch_size", &granted.training.batchSize)
      form.number("beta1", &granted.training.beta1)
      form.number("beta2", &granted.training.beta2)
      form.whole("epochs", &granted.training.epochs)
      form.number("epsilon", &granted.training.epsilon)
      form.number("grokfast_alpha", &granted.training.grokfastAlpha, unless: usual.grokfastAlpha)
      form.number("grokfast_lambda", &granted.training.grokfastLambda, unless: usual.grokfastLambda)
      form.number("l1", &granted.training.l1, unless: usual.l1)
      form.number("learning_rate", &granted.training.learningRate)
      form.number("momentum", &granted.training.momentum, unless: usual.momentum)
      form.word("optimizer", &granted.training.optimizer, unless: usual.optimizer)
      form.word("schedule", &granted.training.schedule, unless: usual.schedule)
      form.whole("warmup_epochs", &granted.training.warmupEpochs)
      form.number("weight_decay", &granted.training.weightDecay)
    }
  }

  private static func result(_ form: inout some WireForm, _ result: inout WireResult) {
    form.objects("crossings", &result.crossings, of: Crossing(measure: .testLoss, threshold: 0)) { form, crossing in
      form.whole("first", &crossing.first)
      form.word("measure", &crossing.measure)
      form.whole("sustained", &crossing.sustained)
      form.number("threshold", &crossing.threshold)
    }
    form.whole("epochs", &result.epochs)
    if form.key("final_model", ifKnown: result.finalModel != nil) {
      var known = result.finalModel ?? .blank
      form.open()
      finalModel(&form, &known)
      form.close()
      result.finalModel = known
    }
    form.text("kernel_path", &result.kernelPath)
    let blank = KeyFrequency(frequency: 0, norm: 0, excludedLoss: nil)
    form.objects("key_frequencies", &result.keyFrequencies, of: blank) { form, key in
      form.number("cosine_coefficient", &key.cosineCoefficient)
      form.number("excluded_loss", &key.excludedLoss)
      form.whole("frequency", &key.frequency)
      form.number("fve_u", &key.varianceExplainedU)
      form.number("fve_v", &key.varianceExplainedV)
      form.whole("neurons", &key.neurons)
      form.number("norm", &key.norm)
    }
    form.whole("measure_version", &result.measureVersion)
    form.object("outcome") { form in
      form.whole("at", &result.outcome.at)
      form.whole("censored_after", &result.outcome.censoredAfter)
      form.whole("grokking", &result.outcome.grokking)
      form.whole("memorization", &result.outcome.memorization)
      form.text("name", &result.outcome.name)
    }
    form.objects("phases", &result.phases, of: Phase(.cleanup, start: 0, end: nil)) { form, phase in
      form.whole("end", &phase.end)
      form.word("name", &phase.name)
      form.whole("start", &phase.start)
    }
    form.whole("semantics_version", &result.semanticsVersion)
  }

  private static func finalModel(_ form: inout some WireForm, _ final: inout WireFinalModel) {
    form.objects("ablations", &final.ablations, of: Ablation(.original, loss: 0)) { form, ablation in
      form.whole("frequency", &ablation.frequency)
      form.number("loss", &ablation.loss)
      form.word("name", &ablation.name)
    }
    form.key("key_frequencies_neurons")
    form.list(&final.keyFrequenciesNeurons, of: 0) { form, frequency in form.whole(&frequency) }
    form.key("key_frequencies_w_e")
    form.list(&final.keyFrequenciesW_E, of: 0) { form, frequency in form.whole(&frequency) }
    form.number("rank_residual", &final.rankResidual)
  }
}

extension WireForm {
  /// A message whose own fields come between `groksweep` and `type`.
  fileprivate mutating func message(_ name: String, _ fields: (inout Self) -> Void) {
    open()
    version()
    fields(&self)
    type(name)
    close()
  }

  /// A value whose key is left out at its default (`ExperimentCoding.swift`).
  fileprivate mutating func number(_ name: StaticString, _ value: inout Double, unless usual: Double) {
    if key(name, ifKnown: value != usual) {
      number(&value)
    } else {
      value = usual
    }
  }

  fileprivate mutating func word<Word: RawRepresentable<String> & Equatable>(
    _ name: StaticString, _ value: inout Word, unless usual: Word
  ) {
    var raw = value.rawValue
    guard key(name, ifKnown: value != usual) else {
      value = usual
      return
    }
    text(&raw)
    guard let word = Word(rawValue: raw) else { return giveUp() }
    value = word
  }

  fileprivate mutating func version() {
    var version = WireProtocol.version
    whole("groksweep", &version)
    if version != WireProtocol.version { giveUp() }
  }

  fileprivate mutating func type(_ name: String) {
    var type = name
    text("type", &type)
    if type != name { giveUp() }
  }

  fileprivate mutating func lease(_ lease: inout LeaseID) {
    var number = lease.number
    whole("lease", &number)
    lease = LeaseID(number)
  }

  fileprivate mutating func attempt(_ lease: inout LeaseID, _ point: inout PointID) {
    self.lease(&lease)
    var hex = point.hex
    text("point", &hex)
    guard let id = PointID(hex: hex) else { return giveUp() }
    point = id
  }
}

// What a reader fills in.
extension PointID {
  fileprivate static var blank: PointID { PointID(bytes: repeatElement(0, count: 32)) }
}

extension WireFinalModel {
  fileprivate static var blank: WireFinalModel {
    WireFinalModel(
      FinalMeasures(
        normsW_E: [], normsW_L: [], keyFrequenciesW_E: [], keyFrequenciesNeurons: [], neurons: [], heads: [],
        rankResidual: nil, ablations: []))
  }
}
