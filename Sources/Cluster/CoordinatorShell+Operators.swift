// What the coordinator answers to people.

import Sweeps

extension CoordinatorShell {
  /// Carries the request out, at once.
  func answer(_ request: OperatorRequest) -> OperatorReply {
    .failed("this coordinator takes no requests yet", isBadInput: false)
  }
}
