// A snapshot store in memory that notes which evaluations have a part of theirs kept.

import Grokking

final class CountingShelf {
  private let part: SnapshotStore.Part
  private let memory = SnapshotStore.inMemory()
  /// Numbers of the evaluations, and how many there were at most.
  private(set) var kept: Set<Int> = []
  private(set) var most = 0

  init(noting part: SnapshotStore.Part) { self.part = part }

  var store: SnapshotStore {
    SnapshotStore(
      write: { [self] part, index, numbers in
        if part == self.part { kept.insert(index) }
        most = max(most, kept.count)
        try memory.write(part, index, numbers)
      },
      read: memory.read,
      remove: { [self] part, index in
        if part == self.part { kept.remove(index) }
        memory.remove(part, index)
      })
  }
}
