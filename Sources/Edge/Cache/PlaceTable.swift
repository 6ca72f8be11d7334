/// Which place in a table of entries belongs to which key: found by bytes wherever they lie. Pure.
///
/// A dictionary would want each request's path as a buffer of its own, and hash it slower. Open addressing; the entries
/// hold the keys themselves.
struct PlaceTable: Sendable {
    private struct Slot {
        var hash: UInt64 = 0
        /// The place plus one; 0 is free.
        var place = 0
    }

    private(set) var count = 0
    /// A power of two, at most half full.
    private var slots: [Slot] = Array(repeating: Slot(), count: 64)
    private let hash = SeededHash()

    /// - Parameter isKey: whether the entry at a place has this key; asked for a few places at most.
    func find(_ key: UnsafeRawBufferPointer, where isKey: (Int) -> Bool) -> Int? {
        let hash = self.hash(key)
        var index = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[index].place != 0 {
            if slots[index].hash == hash, isKey(slots[index].place - 1) { return slots[index].place - 1 }
            index = (index + 1) & (slots.count - 1)
        }
        return nil
    }

    /// - Parameter key: one that is not in the table.
    mutating func add(_ key: UnsafeRawBufferPointer, at place: Int) {
        if (count + 1) * 2 > slots.count { grow() }
        insert(Slot(hash: hash(key), place: place + 1))
        count += 1
    }

    mutating func remove(_ key: UnsafeRawBufferPointer, at place: Int) {
        let mask = slots.count - 1
        var hole = Int(truncatingIfNeeded: hash(key)) & mask
        while slots[hole].place != place + 1 {
            if slots[hole].place == 0 { return }
            hole = (hole + 1) & mask
        }
        // What stands behind moves up as far as its own first place, so that no search ends at the hole.
        var next = (hole + 1) & mask
        while slots[next].place != 0 {
            let home = Int(truncatingIfNeeded: slots[next].hash) & mask
            if (next - home) & mask >= (next - hole) & mask {
                slots[hole] = slots[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        slots[hole] = Slot()
        count -= 1
    }

    private mutating func insert(_ slot: Slot) {
        var index = Int(truncatingIfNeeded: slot.hash) & (slots.count - 1)
        while slots[index].place != 0 { index = (index + 1) & (slots.count - 1) }
        slots[index] = slot
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: Slot(), count: 2 * old.count)
        for slot in old where slot.place != 0 { insert(slot) }
    }
}
