// A small ordered set whose order never depends on hashing: what the scheduler walks over.

/// Distinct elements in ascending order. Insertion and removal are O(log n) plus a move of memory.
struct SortedList<Element: Comparable & Hashable & Sendable>: Hashable, Sendable {
  private(set) var elements: [Element] = []

  var first: Element? { elements.first }
  var count: Int { elements.count }
  var isEmpty: Bool { elements.isEmpty }

  mutating func insert(_ element: Element) {
    if elements.last.map({ $0 < element }) ?? true {
      elements.append(element)
      return
    }
    let place = firstIndex(notBelow: element)
    if elements[place] != element { elements.insert(element, at: place) }
  }

  mutating func remove(_ element: Element) {
    let place = firstIndex(notBelow: element)
    if place < elements.count, elements[place] == element { elements.remove(at: place) }
  }

  private func firstIndex(notBelow element: Element) -> Int {
    var low = 0
    var high = elements.count
    while low < high {
      let middle = (low + high) / 2
      if elements[middle] < element { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
