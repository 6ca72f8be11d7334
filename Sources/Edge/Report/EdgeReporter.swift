import Logging
import Registry
import ServiceLifecycle

/// Tells the origin every few seconds what this edge holds and where it stands, and at once when it becomes fresh or
/// blind. A report that does not arrive is not repeated: the next one says more.
struct EdgeReporter: Service {
    let client: OriginClient
    let facts: @Sendable () -> EdgeReport
    let logger: Logger
    private let interval: Duration = .seconds(5)
    private let look: Duration = .milliseconds(500)

    init(client: OriginClient, facts: @escaping @Sendable () -> EdgeReport, logger: Logger) {
        self.client = client
        self.facts = facts
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var said: EdgeReport?
            var saidAt = ContinuousClock.now
            while !Task.isCancelled {
                let report = facts()
                if isDue(report, after: said, at: saidAt) {
                    (said, saidAt) = (report, .now)
                    await post(report)
                }
                try? await Task.sleep(for: look)
            }
        }
    }

    private func isDue(_ report: EdgeReport, after said: EdgeReport?, at saidAt: ContinuousClock.Instant) -> Bool {
        guard let said else { return true }
        return said.isFresh != report.isFresh || ContinuousClock.now - saidAt >= interval
    }

    private func post(_ report: EdgeReport) async {
        do {
            try await client.report(report)
        } catch {
            logger.debug("a report did not arrive", metadata: ["error": "\(error)"])
        }
    }
}
