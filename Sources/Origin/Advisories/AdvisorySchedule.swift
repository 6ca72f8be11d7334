import Facts
package import Logging
import ServiceLifecycle

/// Takes over the advisory database again and again, from where the setting `advisories` says.
///
/// Replicas do it side by side: whoever comes second finds nothing that is new.
package struct AdvisorySchedule: Service {
    let sync: AdvisorySync
    let reader: AdvisoryReader
    let source: String
    let interval: Duration
    let logger: Logger

    package init(sync: AdvisorySync, source: String, interval: Duration, logger: Logger) {
        self.sync = sync
        self.source = source
        self.interval = interval
        self.logger = logger
        reader = AdvisoryReader(AdvisorySource(source))
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await once()
                } catch is CancellationError {
                    return
                } catch {
                    // What was known before stays in force.
                    logger.warning(
                        "the advisories of \(source) could not be taken over; tried again later",
                        metadata: ["error": "\((error as? Refusal)?.detail ?? "\(error)")"])
                }
                guard (try? await Task.sleep(for: interval)) != nil else { return }
            }
        }
    }

    private func once() async throws {
        guard let database = try await reader.read() else { return }
        for problem in database.problems.prefix(10) {
            logger.warning("an advisory was passed over", metadata: ["problem": "\(problem)"])
        }
        let outcome = try await sync.sync(database, by: .advisories)
        reader.wasTaken()
        guard outcome.added + outcome.changed + outcome.removed > 0 else { return }
        logger.notice(
            "advisories taken over: \(outcome.added) new, \(outcome.changed) changed, \(outcome.removed) removed",
            metadata: ["versions": "\(outcome.versions)"])
    }
}
