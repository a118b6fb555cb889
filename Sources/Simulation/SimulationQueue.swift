// What is going to happen, by virtual time; first in first out at equal times.

/// A binary heap of small keys beside a shelf of what they stand for, so that sorting moves no reference.
struct SimulationQueue<Element> {
  private struct Key {
    let time: Int64
    let order: Int
    let place: Int

    static func < (left: Key, right: Key) -> Bool {
      left.time != right.time ? left.time < right.time : left.order < right.order
    }
  }

  private var heap: [Key] = []
  private var shelf: [Element?] = []
  private var free: [Int] = []
  private var pushed = 0

  var isEmpty: Bool { heap.isEmpty }

  mutating func push(_ time: Int64, _ element: Element) {
    let place: Int
    if let reused = free.popLast() {
      place = reused
      shelf[place] = element
    } else {
      place = shelf.count
      shelf.append(element)
    }
    heap.append(Key(time: time, order: pushed, place: place))
    pushed += 1
    var child = heap.count - 1
    while child > 0, heap[child] < heap[(child - 1) / 2] {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func pop() -> (Int64, Element)? {
    guard let top = heap.first else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      sink()
    }
    defer {
      shelf[top.place] = nil
      free.append(top.place)
    }
    return (top.time, shelf[top.place]!)
  }

  private mutating func sink() {
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child] < heap[least] {
        least = child
      }
      if least == parent { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
