// Which experiments cannot be trained, and what would be right: every limit of every value.

/// A value of an experiment that cannot be trained: which key, and what would be right.
package struct ExperimentProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// As in a sweep file: `model.heads`.
  package let key: String
  /// A sentence without the key's place: `heads 3 does not divide d_model 128; …`.
  package let message: String

  package init(key: String, message: String) {
    self.key = key
    self.message = message
  }

  package var description: String { "\(key): \(message)" }
}

extension Experiment {
  /// Everything that makes this experiment impossible, in the order of the keys; empty when it can be trained.
  package func problems() -> [ExperimentProblem] {
    var found: [ExperimentProblem] = []
    func require(_ holds: Bool, _ key: String, _ message: @autoclosure () -> String) {
      if !holds { found.append(ExperimentProblem(key: key, message: message())) }
    }
    require(
      (3...1024).contains(task.modulus), "task.modulus",
      "modulus \(task.modulus) is impossible; it must be a whole number from 3 to 1024")
    require(
      task.trainFraction > 0 && task.trainFraction < 1, "task.train_fraction",
      "train_fraction \(task.trainFraction) is impossible; it must lie between 0 and 1, both excluded")
    if found.isEmpty {
      require(
        trainPairCount >= 1, "task.train_fraction",
        "train_fraction \(task.trainFraction) of \(task.modulus)² pairs leaves no pair to train on; raise it")
    }
    require(
      task.labelNoise >= 0 && task.labelNoise <= 1, "task.label_noise",
      "label_noise \(task.labelNoise) is impossible; it is a share of the train pairs, from 0 to 1")
    require(
      (1...4096).contains(model.dModel), "model.d_model", "d_model \(model.dModel) must lie between 1 and 4096")
    require(model.heads >= 1, "model.heads", "heads \(model.heads) must be at least 1")
    if model.heads >= 1 {
      require(
        model.dModel % model.heads == 0, "model.heads",
        "heads \(model.heads) does not divide d_model \(model.dModel); each head gets d_model / heads dimensions")
    }
    require((1...65_536).contains(model.dMLP), "model.d_mlp", "d_mlp \(model.dMLP) must lie between 1 and 65536")
    require(
      model.dVocabOut == task.modulus || model.dVocabOut == task.modulus &+ 1, "model.d_vocab_out",
      "d_vocab_out \(model.dVocabOut) must be the modulus \(task.modulus) or one more (write p or p+1)")
    require(
      model.initializationScale >= 1e-6 && model.initializationScale <= 1e6, "model.initialization_scale",
      "initialization_scale \(model.initializationScale) must lie between 0.000001 and 1000000")
    require(
      (1...100_000_000).contains(training.epochs), "training.epochs",
      "epochs \(training.epochs) must lie between 1 and 100000000")
    require(
      training.learningRate > 0 && training.learningRate.isFinite, "training.learning_rate",
      "learning_rate \(training.learningRate) must be above 0")
    if let batchSize = training.batchSize {
      require(
        batchSize >= 1, "training.batch_size",
        "batch_size \(batchSize) must be at least 1; without it a step trains on all train pairs")
    }
    require(
      training.weightDecay >= 0 && training.weightDecay.isFinite, "training.weight_decay",
      "weight_decay \(training.weightDecay) must be 0 or more")
    require(
      training.beta1 >= 0 && training.beta1 < 1, "training.beta1", "beta1 \(training.beta1) must lie in [0, 1)")
    require(
      training.beta2 >= 0 && training.beta2 < 1, "training.beta2", "beta2 \(training.beta2) must lie in [0, 1)")
    require(
      training.epsilon >= 1e-30 && training.epsilon.isFinite, "training.epsilon",
      "epsilon \(training.epsilon) must be at least 1e-30: what is smaller is next to nothing in float32")
    require(
      training.momentum >= 0 && training.momentum < 1, "training.momentum",
      "momentum \(training.momentum) must lie in [0, 1)")
    require(training.l1 >= 0 && training.l1.isFinite, "training.l1", "l1 \(training.l1) must be 0 or more")
    require(
      training.grokfastAlpha >= 0 && training.grokfastAlpha < 1, "training.grokfast_alpha",
      "grokfast_alpha \(training.grokfastAlpha) must lie in [0, 1)")
    require(
      training.grokfastLambda >= 0 && training.grokfastLambda.isFinite, "training.grokfast_lambda",
      "grokfast_lambda \(training.grokfastLambda) must be 0 or more; 0 leaves gradients as they are")
    require(
      training.warmupEpochs >= 0, "training.warmup_epochs",
      "warmup_epochs \(training.warmupEpochs) must be 0 or more")
    require(
      (1...100_000_000).contains(measure.evaluateEvery), "measure.evaluate_every",
      "evaluate_every \(measure.evaluateEvery) must lie between 1 and 100000000")
    for (key, seed) in [("model_seed", modelSeed), ("data_seed", dataSeed)] {
      require(
        seed < 1 << 53, key,
        "\(key) \(seed) is too large; seeds go from 0 to 9007199254740991 (2^53 - 1), which every JSON reader keeps exactly"
      )
    }
    if let epochs = stop.afterGrokking {
      require(
        (0...100_000_000).contains(epochs), "stop.after_grokking",
        "after_grokking \(epochs) must lie between 0 and 100000000")
    }
    if found.isEmpty {
      // Another id for the run that it is without.
      require(
        task.labelNoise == 0 || Int(task.labelNoise * Double(trainPairCount)) >= 1, "task.label_noise",
        "label_noise \(task.labelNoise) of \(trainPairCount) train pairs replaces no label; write 0, or at least "
          + "1/\(trainPairCount)")
      require(
        training.schedule != .cosine || training.epochs > training.warmupEpochs, "training.schedule",
        "schedule cosine begins after warmup_epochs \(training.warmupEpochs), and the run has \(training.epochs) epochs: "
          + "its rates would be those of constant; train for longer, or lower warmup_epochs")
      require(
        estimatedBytes <= 64 << 30, "model.heads",
        "modulus \(task.modulus), heads \(model.heads) and d_mlp \(model.dMLP) need about \(estimatedBytes >> 30) GiB of "
          + "memory; the limit is 64")
      require(
        evaluationCount <= largestEvaluationCount, "measure.evaluate_every",
        "evaluate_every \(measure.evaluateEvery) gives \(evaluationCount) evaluations in \(training.epochs) epochs, and "
          + "at most \(largestEvaluationCount) of modulus \(task.modulus) fit into a result; raise it")
    }
    return found
  }

  /// Of a whole run: epoch 0, every multiple of evaluate_every, and the end.
  package var evaluationCount: Int { (training.epochs + measure.evaluateEvery - 1) / measure.evaluateEvery + 1 }

  /// Evaluations that surely fit into the 64 MiB in which a result travels: each with every measure there is, 25 numbers
  /// and two spectra in float32, and two more numbers for each frequency, should all of them be key; beside them the
  /// final model's neurons and heads and a digest every 1,000 epochs.
  private var largestEvaluationCount: Int {
    let frequencies = (task.modulus - 1) / 2
    let once = 1024 + 10 * model.dMLP + 34 * model.heads + 16 * frequencies + 40 * (training.epochs / 1000 + 1)
    return ((64 << 20) - once) / (8 * 25 + 3 + (2 * 4 + 2 * 8) * frequencies)
  }

  /// What a run holds at once, roughly: six tables of rows to train on (`FoldedModel`, `TableGradients`), three to test
  /// and three to analyse, a dozen float32 copies of the weights, and the logits of all pairs. No sum of it overflows
  /// within the limits above.
  private var estimatedBytes: Int {
    let (p, d) = (task.modulus, model.dModel)
    func rows(_ pairs: Int) -> Int {
      (p + 4) * model.heads * FoldedShape(modulus: p, model: model, plan: stepPlan(pairs: pairs)).width
    }
    let tables = 6 * rows(pairsPerStep) + 3 * (rows(max(trainPairCount, p * p - trainPairCount)) + rows(p * p))
    let weights = (p + 4) * d + 4 * d * d + 2 * d * (model.dMLP + model.dVocabOut)
    return 4 * (tables + 12 * weights + p * p * model.dVocabOut)
  }
}
