// Experiments as JSON, in grants and in checkpoints. A value that is younger than the first release may be missing, and
// is missing at its default: what was written before it existed is read as what it meant.

extension KeyedDecodingContainer {
  /// The value, or what it was before it had a key.
  fileprivate func decode<Value: Decodable>(_ key: Key, or earlier: Value) throws -> Value {
    try decodeIfPresent(Value.self, forKey: key) ?? earlier
  }
}

extension KeyedEncodingContainer {
  fileprivate mutating func encode<Value: Encodable & Equatable>(
    _ value: Value, _ key: Key, unless earlier: Value
  ) throws {
    if value != earlier { try encode(value, forKey: key) }
  }
}

extension LearningTask: Codable {
  package init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      operation: try fields.decode(Operation.self, forKey: .operation),
      modulus: try fields.decode(Int.self, forKey: .modulus),
      trainFraction: try fields.decode(Double.self, forKey: .trainFraction),
      labelNoise: try fields.decode(.labelNoise, or: 0))
  }

  package func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(operation, forKey: .operation)
    try fields.encode(modulus, forKey: .modulus)
    try fields.encode(trainFraction, forKey: .trainFraction)
    try fields.encode(labelNoise, .labelNoise, unless: 0)
  }
}

extension ModelShape: Codable {
  package init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      dModel: try fields.decode(Int.self, forKey: .dModel), heads: try fields.decode(Int.self, forKey: .heads),
      dMLP: try fields.decode(Int.self, forKey: .dMLP),
      activation: try fields.decode(Activation.self, forKey: .activation),
      biases: try fields.decode(Bool.self, forKey: .biases),
      dVocabOut: try fields.decode(Int.self, forKey: .dVocabOut),
      initializationScale: try fields.decode(.initializationScale, or: 1))
  }

  package func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(dModel, forKey: .dModel)
    try fields.encode(heads, forKey: .heads)
    try fields.encode(dMLP, forKey: .dMLP)
    try fields.encode(activation, forKey: .activation)
    try fields.encode(biases, forKey: .biases)
    try fields.encode(dVocabOut, forKey: .dVocabOut)
    try fields.encode(initializationScale, .initializationScale, unless: 1)
  }
}

extension TrainingSettings: Codable {
  package init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    let earlier = TrainingSettings()
    self.init(
      epochs: try fields.decode(Int.self, forKey: .epochs),
      learningRate: try fields.decode(Double.self, forKey: .learningRate),
      weightDecay: try fields.decode(Double.self, forKey: .weightDecay),
      beta1: try fields.decode(Double.self, forKey: .beta1), beta2: try fields.decode(Double.self, forKey: .beta2),
      epsilon: try fields.decode(Double.self, forKey: .epsilon),
      warmupEpochs: try fields.decode(Int.self, forKey: .warmupEpochs),
      optimizer: try fields.decode(.optimizer, or: earlier.optimizer),
      momentum: try fields.decode(.momentum, or: earlier.momentum),
      schedule: try fields.decode(.schedule, or: earlier.schedule),
      batchSize: try fields.decodeIfPresent(Int.self, forKey: .batchSize),
      l1: try fields.decode(.l1, or: earlier.l1),
      grokfastAlpha: try fields.decode(.grokfastAlpha, or: earlier.grokfastAlpha),
      grokfastLambda: try fields.decode(.grokfastLambda, or: earlier.grokfastLambda))
  }

  package func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    let earlier = TrainingSettings()
    try fields.encode(epochs, forKey: .epochs)
    try fields.encode(learningRate, forKey: .learningRate)
    try fields.encode(weightDecay, forKey: .weightDecay)
    try fields.encode(beta1, forKey: .beta1)
    try fields.encode(beta2, forKey: .beta2)
    try fields.encode(epsilon, forKey: .epsilon)
    try fields.encode(warmupEpochs, forKey: .warmupEpochs)
    try fields.encode(optimizer, .optimizer, unless: earlier.optimizer)
    try fields.encode(momentum, .momentum, unless: earlier.momentum)
    try fields.encode(schedule, .schedule, unless: earlier.schedule)
    try fields.encodeIfPresent(batchSize, forKey: .batchSize)
    try fields.encode(l1, .l1, unless: earlier.l1)
    try fields.encode(grokfastAlpha, .grokfastAlpha, unless: earlier.grokfastAlpha)
    try fields.encode(grokfastLambda, .grokfastLambda, unless: earlier.grokfastLambda)
  }
}
