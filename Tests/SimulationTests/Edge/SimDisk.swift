import EdgeCache

@testable import EdgeCache

/// The catalogue on disk: what is saved is saved whole; what was not yet saved is lost when the edge is killed.
struct SimDisk {
    private(set) var contents = Catalogue.Contents()
    /// The ghost's floors at the moment of the save.
    private(set) var floors: [UInt64]
    private var entries: [CacheKey: SavedEntry] = [:]

    init(floors: [UInt64]) { self.floors = floors }

    mutating func save(_ journal: CacheJournal, currentAt: Int?, floors: [UInt64]) {
        for (key, change) in journal.changes {
            switch change {
            case .save(let entry): entries[key] = entry
            case .verify(let position, let epoch):
                guard let old = entries[key] else { continue }
                entries[key] = SavedEntry(
                    key: key, kind: old.kind, tag: old.tag, position: position, epoch: epoch, body: old.body)
            case .delete: entries[key] = nil
            }
        }
        contents.applied = journal.applied
        contents.epoch = journal.epoch
        if let ended = journal.ended { contents.ended = ended }
        if let currentAt { contents.currentAt = currentAt }
        contents.entries = entries.values.sorted { $0.key.description < $1.key.description }
        self.floors = floors
    }
}
