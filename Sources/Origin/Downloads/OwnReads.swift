import FoundationEssentials
import CoreMetrics
import Hosting
package import Logging
import Registry

/// Counts what this replica serves to clients directly, before they have it whole.
///
/// Reads that come while a transaction runs wait for the next one and share it. A connection has one answer under way that
/// waits here, so `clients-max` bounds how many can. `requests-max` does not: a download is noted while its body is written,
/// when its request no longer counts as running.
package actor OwnReads {
    private enum Read {
        case index(CrateName, RepositoryName)
        case pull(ReadRows.Pull)
    }

    private let store: ReadStore
    private let logger: Logger
    private var waiting: [(read: Read, at: Int, done: CheckedContinuation<Void, Never>)] = []
    private var isSaving = false

    package init(store: ReadStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// Returns once the read is counted. If it can't be, that is logged, and the client is served all the same.
    func index(of crate: CrateName, in repository: RepositoryName) async {
        await note(.index(crate, repository), at: Self.now)
    }

    /// Returns once the download is counted; as above.
    ///
    /// - Parameter address: from where it was asked for, as `RequestSource` knows it.
    func pull(
        of crate: CrateName, _ version: Version, in repository: RepositoryName, by principal: Principal, bytes: Int,
        from address: String?
    ) async {
        var token: Int64?
        if case .token(let holder) = principal { token = holder.tokenID }
        let now = Self.now
        await note(
            .pull(
                ReadRows.Pull(
                    at: now, repository: repository.description, crate: crate.identity, version: version.description,
                    token: token, bytes: bytes, cache: "HIT", address: address.flatMap(ClientAddress.normal))), at: now)
    }

    private static var now: Int { Int(Date.now.timeIntervalSince1970) }

    private func note(_ read: Read, at now: Int) async {
        await withCheckedContinuation { done in
            waiting.append((read, now, done))
            guard !isSaving else { return }
            isSaving = true
            // Of its own, because a client that leaves may not take the others' counts along.
            Task { await save() }
        }
    }

    private func save() async {
        while !waiting.isEmpty {
            let reads = waiting
            waiting = []
            var rows = ReadRows()
            for (read, at, _) in reads {
                switch read {
                case .index(let crate, let repository): rows.addIndexRead(of: crate, in: repository, at: at)
                case .pull(let pull): rows.add(pull)
                }
            }
            do {
                try await store.addOwn(rows)
            } catch {
                Metric.readsLost.counter(["what": "counts"]).increment(by: reads.count)
                logger.error(
                    "reads could not be counted", metadata: ["reads": "\(reads.count)", "error": "\(error)"])
            }
            for (_, _, done) in reads { done.resume() }
        }
        isSaving = false
    }
}
