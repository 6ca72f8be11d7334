import Logging
import ServiceLifecycle

/// Seals what was downloaded into the audit log, about half a minute after the origin heard of it.
///
/// A pull's id is taken before its transaction commits, so one that is not seen yet may stand before one that is. A
/// mark is therefore set first and used later, when every transaction that ran then has ended: the lock on the table that
/// would do the same would make every reader's count wait, and end vacuums.
struct PullSealer: Service {
    private static let interval: Duration = .seconds(15)

    let store: PullSealStore
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var mark: PullSealStore.Mark?
            while (try? await Task.sleep(for: Self.interval)) != nil {
                do { mark = try await step(mark) } catch is CancellationError { return } catch {
                    logger.warning(
                        "downloads could not be sealed into the audit log; tried again", metadata: ["error": "\(error)"]
                    )
                }
            }
        }
    }

    /// Seals up to the mark if its time has come.
    ///
    /// - Returns: the mark for the next step.
    func step(_ mark: PullSealStore.Mark?) async throws -> PullSealStore.Mark? {
        if let mark {
            guard try await store.isRipe(mark) else { return mark }
            while try await store.seal(upTo: mark) {}
        }
        return try await store.mark()
    }
}
