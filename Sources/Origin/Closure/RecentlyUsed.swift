import Synchronization

/// Values that were used lately, within a number of bytes.
///
/// Two halves: what is used moves to the young one, and when that is full it becomes the old one, and what was the old one
/// goes. So the newest half of `bytesMax` is always there, and no use is written down.
final class RecentlyUsed<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Entry {
        let value: Value
        let bytes: Int
    }

    private struct State {
        var young: [Key: Entry] = [:]
        var old: [Key: Entry] = [:]
        var youngBytes = 0

        mutating func keep(_ key: Key, _ entry: Entry, halfMax: Int) {
            guard young[key] == nil else { return }
            if youngBytes + entry.bytes > halfMax {
                (old, young, youngBytes) = (young, [:], 0)
            }
            young[key] = entry
            youngBytes += entry.bytes
        }
    }

    private let halfMax: Int
    private let state = Mutex(State())

    init(bytesMax: Int) { halfMax = bytesMax / 2 }

    /// Those of them that are here.
    func held(_ keys: [Key]) -> [Key: Value] {
        state.withLock { state in
            var found: [Key: Value] = [:]
            for key in keys {
                guard let entry = state.young[key] ?? state.old[key] else { continue }
                found[key] = entry.value
                state.keep(key, entry, halfMax: halfMax)
            }
            return found
        }
    }

    /// What is larger than a half is not kept.
    func keep(_ key: Key, _ value: Value, bytes: Int) {
        guard bytes <= halfMax else { return }
        state.withLock { $0.keep(key, Entry(value: value, bytes: bytes), halfMax: halfMax) }
    }
}
