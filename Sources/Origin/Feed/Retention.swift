package import Logging
package import Postgres
import ServiceLifecycle

/// Keeps a week of the feed or a million events, whichever is longer, and deletes what is older.
package struct Retention: Service {
    package static let secondsMin = 7 * 86_400
    package static let rowsMin = 1_000_000
    private static let interval: Duration = .seconds(600)
    private static let batch = 10_000

    let store: FeedStore
    let logger: Logger

    package init(pool: PostgresPool, logger: Logger) {
        store = FeedStore(pool: pool)
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while true {
                do {
                    // Replicas may do it side by side: each row is deleted once, whoever comes first.
                    while try await store.prune(
                        rowsMin: Self.rowsMin, secondsMin: Self.secondsMin, batch: Self.batch) > 0
                    {}
                    try await Task.sleep(for: Self.interval)
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning(
                        "old events could not be deleted; tried again later", metadata: ["error": "\(error)"])
                    guard (try? await Task.sleep(for: Self.interval)) != nil else { return }
                }
            }
        }
    }
}
