// Fetches how things stand, again and again, on a thread of its own: so a coordinator that does not answer keeps nobody from
// pressing q.

import Cluster
import Foundation
import Results
import Synchronization
import ZeroMQ

final class TopFeed: Sendable {
  enum News {
    case status(CoordinatorStatus)
    /// Nothing new, and why.
    case trouble(String)
  }

  /// Woken by news.
  let waker: Waker
  private let news = Mutex<News?>(nil)

  /// - Parameter fetch: made and called on the thread.
  init(everySeconds seconds: Double, _ fetch: @escaping @Sendable () throws -> () throws -> CoordinatorStatus) throws {
    waker = try Waker()
    Thread { [self] in
      nameCurrentThread("top-feed")
      var source: (() throws -> CoordinatorStatus)?
      while true {
        let latest: News
        do {
          let ask = try source ?? fetch()
          source = ask
          latest = .status(try ask())
        } catch {
          latest = .trouble(Failure(of: error)?.message ?? "\(error)")
        }
        news.withLock { $0 = latest }
        waker.wake()
        Thread.sleep(forTimeInterval: seconds)
      }
    }.start()
  }

  /// What came since the last call.
  func take() -> News? {
    waker.drain()
    return news.withLock { news in
      defer { news = nil }
      return news
    }
  }
}
