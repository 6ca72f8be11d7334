package import Registry

/// A blob as the catalogue saves it.
package struct BlobRow: Hashable, Sendable {
    package let checksum: Checksum
    package let bytes: Int
    /// Seconds since 1970.
    package let usedAt: Int

    package init(checksum: Checksum, bytes: Int, usedAt: Int) {
        self.checksum = checksum
        self.bytes = bytes
        self.usedAt = usedAt
    }
}

/// Which blobs are on disk, how much they take, and which go first when room is needed.
///
/// Least recently used goes first, but nothing that was asked for a moment ago: it may be about to be opened for a client.
/// An open file survives its deletion, so a moment is enough. Pure; times are seconds since 1970.
struct BlobLedger: Sendable {
    enum Trust: Sendable {
        /// Its hash was seen since this process started.
        case verified
        /// From an earlier run.
        case unread
    }

    struct Entry: Sendable {
        let bytes: Int
        var usedAt: Int
        var trust: Trust
    }

    static let secondsInUse = 2
    /// When room is made, a little more is made at once, so that sorting is rare.
    static let spareShare = 20

    let bytesMax: Int
    private(set) var bytes = 0
    private(set) var incoming = 0
    private var entries: [Checksum: Entry] = [:]
    /// Nil: gone.
    private var changes: [Checksum: BlobRow?] = [:]

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    var count: Int { entries.count }

    subscript(checksum: Checksum) -> Entry? { entries[checksum] }

    mutating func restore(_ row: BlobRow) {
        entries[row.checksum] = Entry(bytes: row.bytes, usedAt: row.usedAt, trust: .unread)
        bytes += row.bytes
    }

    mutating func use(_ checksum: Checksum, at now: Int) -> Entry? {
        guard let entry = entries[checksum] else { return nil }
        if entry.usedAt != now {
            entries[checksum]?.usedAt = now
            changes[checksum] = BlobRow(checksum: checksum, bytes: entry.bytes, usedAt: now)
        }
        return entry
    }

    mutating func verified(_ checksum: Checksum) { entries[checksum]?.trust = .verified }

    /// Takes room for bytes that are about to be written.
    ///
    /// - Returns: the blobs to delete for it; nil if there is no room and none can be made.
    mutating func reserve(_ count: Int, at now: Int) -> [Checksum]? {
        let excess = bytes + incoming + count - bytesMax
        guard excess > 0 else {
            incoming += count
            return []
        }
        guard let victims = victims(freeing: excess, at: now) else { return nil }
        victims.forEach { remove($0) }
        incoming += count
        return victims
    }

    mutating func release(_ count: Int) { incoming -= count }

    /// Turns a reservation into a blob.
    mutating func keep(_ checksum: Checksum, bytes count: Int, at now: Int) {
        incoming -= count
        remove(checksum)
        entries[checksum] = Entry(bytes: count, usedAt: now, trust: .verified)
        bytes += count
        changes[checksum] = BlobRow(checksum: checksum, bytes: count, usedAt: now)
    }

    mutating func remove(_ checksum: Checksum) {
        guard let entry = entries.removeValue(forKey: checksum) else { return }
        bytes -= entry.bytes
        changes.updateValue(nil, forKey: checksum)
    }

    mutating func takeChanges() -> [Checksum: BlobRow?] {
        defer { changes = [:] }
        return changes
    }

    /// Puts changes that could not be saved back; newer ones win.
    mutating func putBack(_ older: [Checksum: BlobRow?]) { changes.merge(older) { newer, _ in newer } }

    private func victims(freeing excess: Int, at now: Int) -> [Checksum]? {
        // What was used in the future was used before the clock was set back: it would stay for as long as that.
        let idle = entries.filter { abs(now - $0.value.usedAt) >= Self.secondsInUse }
        let wanted = excess + bytesMax / Self.spareShare
        var freed = 0
        var victims: [Checksum] = []
        for (checksum, entry) in idle.sorted(by: { $0.value.usedAt < $1.value.usedAt }) where freed < wanted {
            victims.append(checksum)
            freed += entry.bytes
        }
        return freed >= excess ? victims : nil
    }
}
