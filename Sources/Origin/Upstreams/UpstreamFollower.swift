package import Logging
import Registry
package import ServiceLifecycle

/// Asks upstreams again for every name that was ever asked for, in turn, as soon as its answer is no longer fresh.
///
/// Edges serve what they hold until an event says that it changed, so somebody must ask for them. At most `batch` names
/// each `pause`, whatever the number of names: with more of them an answer is older, and no upstream is asked faster.
package struct UpstreamFollower: Service {
    private static let batch = 100
    private static let pause: Duration = .seconds(2)

    let desk: UpstreamDesk
    let repositories: RepositoryStore
    let logger: Logger

    package init(desk: UpstreamDesk, repositories: RepositoryStore, logger: Logger) {
        self.desk = desk
        self.repositories = repositories
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await round()
                    try await Task.sleep(for: Self.pause)
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning(
                        "names could not be asked for again; tried again later", metadata: ["error": "\(error)"])
                    guard (try? await Task.sleep(for: Self.pause)) != nil else { return }
                }
            }
        }
        try await desk.close()
    }

    private func round() async throws {
        let due = try await desk.store.claimDue(limit: Self.batch)
        var found: [RepositoryName: Repository] = [:]
        for name in Set(due.map(\.repository)) { found[name] = try await repositories.find(name) }
        let known = found
        try await forEach(due, atOnce: 8) { due in
            guard let repository = known[due.repository] else { return }
            try await desk.refresh(due.name, at: due.upstream, in: repository)
        }
    }
}
