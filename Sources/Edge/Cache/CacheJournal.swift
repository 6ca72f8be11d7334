package import NIOCore
package import Registry

/// What changed since the catalogue was last saved; one row a key, so it never outgrows the cache.
///
/// The place in the feed belongs to it: rows and place are saved in one transaction, so that after `kill -9`
/// reading the feed on from the saved place repeats exactly what the saved rows have not seen.
package struct CacheJournal: Sendable {
    /// What is to be done to one row of the catalogue.
    package enum Change: Sendable {
        case save(SavedEntry)
        /// The same content, vouched for at a later position.
        case verify(position: UInt64, epoch: UInt64)
        case delete
    }

    package private(set) var changes: [CacheKey: Change] = [:]
    package internal(set) var applied: UInt64
    package internal(set) var epoch: UInt64
    /// The whole of it if it changed.
    package internal(set) var ended: EndedSubjects?

    init(applied: UInt64, epoch: UInt64) {
        self.applied = applied
        self.epoch = epoch
    }

    /// Tokens are never saved, absent names need not be.
    mutating func stored(_ entry: CacheEntry) {
        guard entry.kind != .token else { return }
        changes[entry.key] = entry.value.isAbsent ? .delete : .save(SavedEntry(entry))
    }

    mutating func verified(_ entry: CacheEntry) {
        guard entry.kind != .token, !entry.value.isAbsent else { return }
        if case .save = changes[entry.key] {
            changes[entry.key] = .save(SavedEntry(entry))
        } else {
            changes[entry.key] = .verify(position: entry.position, epoch: entry.epoch)
        }
    }

    mutating func dropped(_ key: CacheKey) { changes[key] = .delete }

    /// Puts a journal that could not be saved in front of this one, so that its changes are saved with it.
    package mutating func follow(_ older: CacheJournal) {
        ended = ended ?? older.ended
        changes.merge(older.changes) { newer, older in
            guard case .verify(let position, let epoch) = newer, case .save(let saved) = older else { return newer }
            return .save(
                SavedEntry(
                    key: saved.key, kind: saved.kind, tag: saved.tag, position: position, epoch: epoch,
                    body: saved.body))
        }
    }

    /// Hands the changes over and begins anew.
    mutating func take() -> CacheJournal {
        let full = self
        changes = [:]
        ended = nil
        return full
    }
}

/// An entry as it stands in the catalogue.
package struct SavedEntry: Sendable {
    package let key: CacheKey
    package let kind: CacheKey.Kind
    package let tag: EntityTag?
    package let position: UInt64
    package let epoch: UInt64
    package let body: ByteBuffer

    package init(
        key: CacheKey, kind: CacheKey.Kind, tag: EntityTag?, position: UInt64, epoch: UInt64, body: ByteBuffer
    ) {
        self.key = key
        self.kind = kind
        self.tag = tag
        self.position = position
        self.epoch = epoch
        self.body = body
    }

    init(_ entry: CacheEntry) {
        self.init(
            key: entry.key, kind: entry.kind, tag: entry.value.tag, position: entry.position, epoch: entry.epoch,
            body: entry.value.body)
    }
}
