package import Logging
package import Postgres
import ServiceLifecycle

/// Deletes the trail of pulls once it is older than `pull-days`, and what is known of spools that are silent for a year;
/// counts stay for ever.
package struct PullRetention: Service {
    private static let interval: Duration = .seconds(600)
    private static let batch = 10_000

    let store: ReadStore
    let days: Int
    let logger: Logger

    package init(pool: PostgresPool, days: Int, logger: Logger) {
        store = ReadStore(pool: pool)
        self.days = days
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while true {
                do {
                    // Replicas may do it side by side: each row is deleted once, whoever comes first.
                    while try await store.prunePulls(days: days, batch: Self.batch) > 0 {}
                    try await store.pruneSpools()
                    try await Task.sleep(for: Self.interval)
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning(
                        "old pulls and spools could not be deleted; tried again later", metadata: ["error": "\(error)"])
                    guard (try? await Task.sleep(for: Self.interval)) != nil else { return }
                }
            }
        }
    }
}
