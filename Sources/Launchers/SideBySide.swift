// Many hosts at once: nearly all of what is done with each is waiting for another machine.

import Foundation
import Synchronization

/// Whatever goes wrong at a host is that host's trouble.
func attempt<Value>(_ body: () throws -> Value) -> Result<Value, HostTrouble> {
  do {
    return .success(try body())
  } catch let trouble as HostTrouble {
    return .failure(trouble)
  } catch {
    return .failure(.other("\(error)"))
  }
}

/// `body` of each item, in their order, many at a time: nearly all of it is waiting for other machines.
package func inParallel<Item: Sendable, Value: Sendable>(
  _ items: [Item], most: Int = 64, _ body: @escaping @Sendable (Item) -> Value
) -> [Value] {
  let results = Mutex<[Value?]>(Array(repeating: nil, count: items.count))
  let next = Atomic(0)
  let group = DispatchGroup()
  for _ in 0..<min(most, items.count) {
    group.enter()
    Thread.detachNewThread {
      defer { group.leave() }
      while true {
        let place = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard place < items.count else { return }
        let value = body(items[place])
        results.withLock { $0[place] = value }
      }
    }
  }
  group.wait()
  return results.withLock { $0.map { $0! } }
}
