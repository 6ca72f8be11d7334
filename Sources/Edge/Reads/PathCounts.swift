import EdgeCache
import Glibc

/// How often each path was read on each day: one allocation for all paths instead of one for each read. Pure.
///
/// Open addressing.
struct PathCounts {
    private struct Entry {
        let hash: UInt64
        let day: Int
        let start: Int
        let length: Int
        var count: Int
    }

    private var entries: [Entry] = []
    /// The place of an entry plus one; 0 is free. A power of two, at most half full.
    private var slots: [UInt32] = Array(repeating: 0, count: 64)
    private var text: [UInt8] = []
    private let hash = SeededHash()

    mutating func add(_ path: UnsafeRawBufferPointer, day: Int) {
        let hash = self.hash(path, salt: UInt64(truncatingIfNeeded: day))
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 {
            let place = Int(slots[slot]) - 1
            if entries[place].hash == hash, entries[place].day == day, isText(of: entries[place], path) {
                entries[place].count += 1
                return
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        slots[slot] = UInt32(entries.count + 1)
        entries.append(Entry(hash: hash, day: day, start: text.count, length: path.count, count: 1))
        text.append(contentsOf: path)
        if entries.count * 2 > slots.count { grow() }
    }

    func forEach(_ body: (_ path: ArraySlice<UInt8>, _ day: Int, _ count: Int) -> Void) {
        for entry in entries { body(text[entry.start..<entry.start + entry.length], entry.day, entry.count) }
    }

    private func isText(of entry: Entry, _ path: UnsafeRawBufferPointer) -> Bool {
        entry.length == path.count
            && text.withUnsafeBytes { UnsafeRawBufferPointer(rebasing: $0[entry.start...]).starts(path) }
    }

    private mutating func grow() {
        slots = Array(repeating: 0, count: slots.count * 4)
        for (place, entry) in entries.enumerated() {
            var slot = Int(truncatingIfNeeded: entry.hash) & (slots.count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = UInt32(place + 1)
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether these bytes begin with others, at one go.
    fileprivate func starts(_ other: UnsafeRawBufferPointer) -> Bool {
        guard let own = baseAddress, let bytes = other.baseAddress else { return other.isEmpty }
        return count >= other.count && memcmp(own, bytes, other.count) == 0
    }
}
