// Checkpoints that leave this worker, and those that come to it before a run goes on here.
//
// An offer says what there is; the coordinator pulls it at its own pace, and says when it has it. The newest checkpoint
// takes the place of an offer that nobody pulls; one that is being pulled is left alone.

import Grokking

extension WorkerSession {
  /// The checkpoints of the run under way, as far as the coordinator is concerned.
  struct Offers: Hashable, Sendable {
    /// The last one that was written.
    var newest: CheckpointContents?
    /// The epoch of the one that was offered, and when that was said last.
    var said: (epoch: Int, at: MonotonicInstant)? {
      get { saidEpoch.flatMap { epoch in saidAt.map { (epoch, $0) } } }
      set { (saidEpoch, saidAt) = (newValue?.epoch, newValue?.at) }
    }
    private var saidEpoch: Int?
    private var saidAt: MonotonicInstant?
    /// When bytes of it were asked for last.
    var pulled: MonotonicInstant?
    /// Up to this epoch, the coordinator has what it needs.
    var kept: Int?

    /// For a coordinator that knows nothing of them.
    mutating func forget() { (saidEpoch, saidAt, pulled, kept) = (nil, nil, nil, nil) }
  }

  /// A checkpoint on its way here.
  struct Fetch: Hashable, Sendable {
    var grant: Grant
    let contents: CheckpointContents
    /// Nil until it is known what is missing.
    var pull: CheckpointPull?
    /// When it got on last.
    var heard: MonotonicInstant
  }

  // Offering.

  mutating func checkpointWritten(_ contents: CheckpointContents) {
    guard heldLease != nil else { return }
    offers.newest = contents
  }

  /// Whether the coordinator wants checkpoints, is there, and lacks the newest one.
  var isOfferWorthwhile: Bool {
    guard case .welcomed(_, _, let checkpointSeconds) = standing, let newest = offers.newest else { return false }
    if case .handingEndOver = activity {} else if checkpointSeconds == nil { return false }
    return offers.kept.map { newest.epoch > $0 } ?? true
  }

  /// When the newest checkpoint is to be offered; nil when it is not.
  var offerDue: MonotonicInstant? {
    guard isOfferWorthwhile, case .welcomed(_, _, let checkpointSeconds) = standing, let newest = offers.newest else {
      return nil
    }
    let undisturbed = offers.pulled?.advanced(bySeconds: 2 * configuration.resendSeconds) ?? now
    switch activity {
    case .training:
      // The same one is not said again: a coordinator that has no use for it now has none later either.
      // And a run that takes less time than lies between two that are wanted is not worth the bytes of its last one.
      guard let said = offers.said else { return trainingSince?.advanced(bySeconds: checkpointSeconds ?? 0) ?? now }
      guard said.epoch != newest.epoch, let checkpointSeconds else { return nil }
      let due = said.at.advanced(bySeconds: checkpointSeconds)
      // One that is kept disturbs nobody any more.
      return offers.kept == said.epoch ? due : max(due, undisturbed)
    case .handingOver, .handingEndOver:
      // This is the last one: at once, and until it is taken.
      guard let said = offers.said, said.epoch == newest.epoch else { return now }
      let again = said.at.advanced(bySeconds: configuration.resendSeconds)
      return max(again, offers.pulled?.advanced(bySeconds: configuration.resendSeconds) ?? again)
    case .idle, .fetching, .stopping: return nil
    }
  }

  mutating func offerWhenDue() {
    guard let due = offerDue, now >= due, let held = heldLease, let newest = offers.newest else { return }
    if offers.said?.epoch != newest.epoch { offers.pulled = nil }
    offers.said = (newest.epoch, now)
    emit(.send(.offer(lease: held.lease, point: held.point, newest)))
  }

  mutating func pulled(_ held: HeldLease, _ request: CheckpointRequest) {
    guard heldLease == held, isWelcome else {
      if isWelcome {
        emit(.send(.chunkGone(lease: held.lease, point: held.point, epoch: request.missing.epoch)))
      }
      return
    }
    if offers.said?.epoch == request.missing.epoch { offers.pulled = now }
    if case .handingEndOver(let unsent, _) = activity {
      activity = .handingEndOver(unsent, until: now.advanced(bySeconds: endSeconds))
    }
    emit(.sendChunk(held.lease, held.point, request))
  }

  mutating func checkpointKept(_ held: HeldLease, _ epoch: Int) {
    guard heldLease == held else { return }
    offers.kept = max(offers.kept ?? epoch, epoch)
    guard !isOfferWorthwhile else { return }
    if case .handingOver = activity { handBack() }
    if case .handingEndOver = activity { deliver() }
  }

  /// The end of `handingOver`.
  mutating func handBack() {
    guard case .handingOver(let held, let epoch, _) = activity else { return }
    close(held)
    post(.handedBack(held, epoch: epoch))
    proceed()
  }

  // Fetching.

  mutating func fetch(_ contents: CheckpointContents, for grant: Grant) {
    if let problem = contents.problem(for: grant.experiment) {
      log(
        .warning, "the checkpoint of point \(grant.held.point.short) cannot be right (\(problem)); training without it")
      train(grant)
      return
    }
    activity = .fetching(Fetch(grant: grant, contents: contents, heard: now))
    emit(.prepare(grant.held.lease, grant.held.point, grant.experiment, contents))
  }

  /// The same point and checkpoint under a newer lease.
  mutating func renewFetch(_ grant: Grant) {
    guard case .fetching(var fetch) = activity else { return }
    fetch.grant = grant
    activity = .fetching(fetch)
    sendProgress()
  }

  mutating func prepared(_ missing: CheckpointContents?) {
    guard case .fetching(var fetch) = activity, fetch.pull == nil else { return }
    guard let missing else {
      train(fetch.grant)
      return
    }
    let mebibytes = (Double(missing.byteCount) / 104_857.6).rounded() / 10
    log(
      .info,
      "fetching the checkpoint of point \(fetch.grant.held.point.short) at epoch \(missing.epoch): \(mebibytes) MiB")
    fetch.pull = CheckpointPull(missing, resendSeconds: configuration.resendSeconds)
    fetch.heard = now
    activity = .fetching(fetch)
  }

  mutating func fetchWhenDue() {
    guard isWelcome, case .fetching(var fetch) = activity, let isDue = fetch.pull?.isDue(at: now), isDue else { return }
    let held = fetch.grant.held
    emit(.send(.fetch(lease: held.lease, point: held.point, fetch.pull!.ask(at: now))))
    activity = .fetching(fetch)
  }

  mutating func fetched(_ held: HeldLease, _ chunk: CheckpointChunk) {
    guard case .fetching(var fetch) = activity, fetch.grant.held == held, fetch.pull != nil else { return }
    switch fetch.pull!.take(chunk) {
    case .ignored: break
    case .refused(let words): log(.warning, "dropped \(words)")
    case .next(let offset):
      fetch.heard = now
      activity = .fetching(fetch)
      keep(chunk, at: offset, of: fetch)
    case .last(let offset):
      fetchedEpoch = fetch.contents.epoch
      keep(chunk, at: offset, of: fetch)
      train(fetch.grant)
    }
  }

  private mutating func keep(_ chunk: CheckpointChunk, at offset: Int, of fetch: Fetch) {
    guard let missing = fetch.pull?.missing else { return }
    emit(.keepChunk(fetch.grant.held.point, missing: missing, offset: offset, chunk.bytes))
  }

  mutating func chunkGone(_ held: HeldLease, _ epoch: Int) {
    switch activity {
    case .fetching(let fetch) where fetch.grant.held == held && fetch.contents.epoch == epoch:
      giveUpFetching("the coordinator does not have it any more")
    case .handingOver(held, _, _) where offers.newest?.epoch == epoch:
      log(
        .warning, "the coordinator does not take the checkpoint of point \(held.point.short); it stays on this machine")
      handBack()
    case .handingEndOver(let unsent, _) where unsent.held == held && offers.newest?.epoch == epoch:
      log(.warning, "the coordinator does not take how point \(held.point.short) ended, so it is not kept")
      deliver()
    // Another checkpoint follows, and is offered then.
    case .idle, .fetching, .training, .stopping, .handingOver, .handingEndOver: break
    }
  }

  mutating func fetchFailed(_ reason: String) {
    // After the last chunk, the run finds out by itself what there is to go on from.
    guard case .fetching = activity else { return }
    giveUpFetching(reason)
  }

  /// The coordinator is told, so that nobody else fetches it in vain.
  mutating func checkpointUnusable(_ reason: String) {
    switch activity {
    case .fetching(let fetch):
      sayUnreadable(fetch.grant.held, epoch: fetch.contents.epoch)
      giveUpFetching(reason)
    case .training(let held):
      guard let epoch = fetchedEpoch else { return }
      fetchedEpoch = nil
      sayUnreadable(held, epoch: epoch)
    case .idle, .stopping, .handingOver, .handingEndOver: break
    }
  }

  private mutating func sayUnreadable(_ held: HeldLease, epoch: Int) {
    if isWelcome { emit(.send(.unreadable(lease: held.lease, point: held.point, epoch: epoch))) }
  }

  /// Trains from whatever this machine has.
  mutating func giveUpFetching(_ reason: String) {
    guard case .fetching(let fetch) = activity else { return }
    log(.warning, "training point \(fetch.grant.held.point.short) without the coordinator's checkpoint: \(reason)")
    emit(.dropFetched(fetch.grant.held.point))
    train(fetch.grant)
  }
}
