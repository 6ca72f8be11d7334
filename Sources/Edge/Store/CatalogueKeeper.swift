import EdgeCache
import Logging
import Registry
import ServiceLifecycle

/// Saves what changed in the cache a few times a second, and once more when the edge stops.
///
/// What could not be saved is saved with what comes next, so that rows and place in the feed always fit together.
actor CatalogueKeeper: Service {
    private let catalogue: Catalogue
    private let desk: CacheDesk
    private let blobs: BlobFolder
    private let wallClock: @Sendable () -> Int
    private let logger: Logger
    private var savedPosition: UInt64?
    private var savedAt = 0
    private var isFailing = false
    private let pause: Duration = .milliseconds(250)
    /// Saving only to say "still fresh" is worth a write this often.
    private static let currentSecondsMax = 10

    init(
        catalogue: Catalogue, desk: CacheDesk, blobs: BlobFolder, wallClock: @escaping @Sendable () -> Int,
        logger: Logger
    ) {
        self.catalogue = catalogue
        self.desk = desk
        self.blobs = blobs
        self.wallClock = wallClock
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: self.pause)
                await self.save()
            }
        }
        await save()
        try catalogue.close()
    }

    private func save() async {
        let (journal, isFresh) = desk.withCore { core, now in (core.takeJournal(), core.isFresh(at: now)) }
        let rows = blobs.takeChanges()
        let now = wallClock()
        // Either way: a clock that was set back must not keep the old time for an hour.
        let isDue = isFresh && abs(now - savedAt) >= Self.currentSecondsMax
        guard
            !journal.changes.isEmpty || journal.ended != nil || !rows.isEmpty || journal.applied != savedPosition
                || isDue
        else { return }
        do {
            try await catalogue.save(journal, blobs: rows, currentAt: isFresh ? now : nil)
            savedPosition = journal.applied
            savedAt = now
            if isFailing { logger.notice("the catalogue is saved again") }
            isFailing = false
        } catch {
            desk.withCore { core, _ in core.putBack(journal) }
            blobs.putBack(rows)
            if !isFailing {
                logger.error(
                    "the catalogue can't be saved: a restart will begin colder", metadata: ["error": "\(error)"])
            }
            isFailing = true
        }
    }
}
