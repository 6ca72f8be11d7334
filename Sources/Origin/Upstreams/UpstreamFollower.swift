package import Logging
import Registry
package import ServiceLifecycle
import Synchronization

/// Asks upstreams again for every name that was ever asked for, in turn, as soon as its answer is no longer fresh.
///
/// Edges serve what they hold until an event says that it changed, so somebody must ask for them. At most `batch` names of
/// each upstream each `pause`, whatever the number of names: with more of them an answer is older, and no upstream is asked
/// faster. Each upstream is followed by itself: a slow one holds no other up, and one that asked for a pause has it.
package final class UpstreamFollower: Service {
    private static let batch = 100
    private static let pause: Duration = .seconds(2)

    private let desk: UpstreamDesk
    private let repositories: RepositoryStore
    private let logger: Logger
    /// Upstreams whose last batch is not through.
    private let busy = Mutex<Set<Int64>>([])

    package init(desk: UpstreamDesk, repositories: RepositoryStore, logger: Logger) {
        self.desk = desk
        self.repositories = repositories
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    for (upstream, names) in await self.due() {
                        self.busy.withLock { _ = $0.insert(upstream) }
                        group.addTask {
                            await self.follow(names)
                            self.busy.withLock { _ = $0.remove(upstream) }
                        }
                    }
                    guard (try? await Task.sleep(for: Self.pause)) != nil else { return }
                }
            }
        }
        try await desk.close()
    }

    private func due() async -> [Int64: [UpstreamStore.Due]] {
        let busy = busy.withLock { Array($0) }
        do {
            return Dictionary(
                grouping: try await desk.store.claimDue(limit: Self.batch, except: busy), by: \.upstream)
        } catch {
            note(error)
            return [:]
        }
    }

    private func follow(_ names: [UpstreamStore.Due]) async {
        do {
            guard let first = names.first, let repository = try await repositories.find(first.repository) else {
                return
            }
            try await forEach(names, atOnce: 8) { due in
                try await self.desk.refresh(due.name, at: due.upstream, in: repository)
            }
        } catch {
            note(error)
        }
    }

    private func note(_ error: any Error) {
        guard !(error is CancellationError), !Task.isCancelled else { return }
        logger.warning("names could not be asked for again; tried again later", metadata: ["error": "\(error)"])
    }
}
