import Logging
import Registry
import Synchronization

/// What an upstream said of a name that it was never asked for before.
struct UpstreamNews: Sendable {
    let file: UpstreamFile
    let validator: UpstreamValidator
    let standing: UpstreamStanding
    let repository: Repository
    /// Nobody waits for it yet.
    let isAhead: Bool
    /// Who had it asked.
    let source: RequestSource

    /// As the upstream spells it.
    var name: CrateName {
        guard let name = file.lines.last?.name else { preconditionFailure("a file has a line") }
        return name
    }

    var bytes: Int { file.lines.reduce(0) { $0 + $1.text.utf8.count } }
}

/// Writes news, many in one transaction: what comes while one transaction is under way goes into the next, and what somebody
/// waits for goes first. A level of dependencies comes within milliseconds, and most of what a file costs are statements and the commit.
final class UpstreamWriter: Sendable {
    private static let newsMax = 24
    private static let bytesMax = 4 << 20
    /// Transactions of one repository at once: while one waits for the database, another works out what to say to it.
    private static let writersMax = 3

    private struct Waiter {
        let news: UpstreamNews
        let continuation: CheckedContinuation<UpstreamStore.Outcome?, Never>
    }

    private struct Line {
        var waiters: [Waiter] = []
        var writers = 0
    }

    private let store: UpstreamStore
    /// By repository; there is a line while a task writes.
    private let lines = Mutex<[Int64: Line]>([:])
    private let logger: Logger

    init(store: UpstreamStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// - Returns: nil if it must be written by itself: there is something of the crate already, or the transaction failed.
    func keep(_ news: UpstreamNews) async -> UpstreamStore.Outcome? {
        await withCheckedContinuation { continuation in
            let key = news.repository.id
            let needsWriter = lines.withLock { lines in
                lines[key, default: Line()].waiters.append(Waiter(news: news, continuation: continuation))
                guard lines[key, default: Line()].writers < Self.writersMax else { return false }
                lines[key]?.writers += 1
                return true
            }
            if needsWriter { Task { await write(key) } }
        }
    }

    private func write(_ key: Int64) async {
        while let batch = take(key) {
            let outcomes = await outcomes(batch)
            for (waiter, outcome) in zip(batch, outcomes) { waiter.continuation.resume(returning: outcome) }
        }
    }

    private func outcomes(_ batch: [Waiter]) async -> [UpstreamStore.Outcome?] {
        do {
            return try await store.keepNew(batch.map(\.news))
        } catch {
            logger.warning(
                "what upstreams say of new crates could not be written together; each is written by itself",
                metadata: ["crates": "\(batch.count)", "error": "\(error)"])
            return batch.map { _ in nil }
        }
    }

    /// - Returns: nil if there is nothing more to write; never two of one crate.
    private func take(_ key: Int64) -> [Waiter]? {
        lines.withLock { lines in
            guard var line = lines[key] else { return nil }
            let all = line.waiters
            guard !all.isEmpty else {
                line.writers -= 1
                lines[key] = line.writers > 0 ? line : nil
                return nil
            }
            var batch: [Waiter] = []
            var rest: [Waiter] = []
            var identities: Set<String> = []
            var bytes = 0
            for waiter in all.filter({ !$0.news.isAhead }) + all.filter(\.news.isAhead) {
                let size = waiter.news.bytes
                if batch.count < Self.newsMax, batch.isEmpty || bytes + size <= Self.bytesMax,
                    identities.insert(waiter.news.name.identity).inserted
                {
                    batch.append(waiter)
                    bytes += size
                } else {
                    rest.append(waiter)
                }
            }
            line.waiters = rest
            lines[key] = line
            return batch
        }
    }
}
