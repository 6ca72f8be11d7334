/// What will happen, in the order of virtual time; what is due at the same time happens in the order it was planned.
struct Timeline {
    private struct Plan {
        let at: Int
        let number: Int
        let run: () -> Void
    }

    private var heap: [Plan] = []
    private var planned = 0

    var isEmpty: Bool { heap.isEmpty }

    /// - Parameter at: microseconds since the start.
    mutating func plan(at: Int, _ run: @escaping () -> Void) {
        planned += 1
        heap.append(Plan(at: at, number: planned, run: run))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard isBefore(child, parent) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func next() -> (at: Int, run: () -> Void)? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return (first.at, first.run) }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isBefore(child, least) {
                least = child
            }
            guard least != parent else { return (first.at, first.run) }
            heap.swapAt(parent, least)
            parent = least
        }
    }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        let (left, right) = (heap[left], heap[right])
        return left.at < right.at || (left.at == right.at && left.number < right.number)
    }
}
