package import Logging
package import ServiceLifecycle

/// Each second: judges what new rules have not seen yet, and decides again where the clock has changed something.
///
/// All replicas do it; each step is done by one of them. What a command or a replica has left in the middle goes on here.
package struct PolicyClock: Service {
    private static let pause: Duration = .seconds(1)
    private static let pauseAfterFailure: Duration = .seconds(10)

    let store: PolicyStore
    let logger: Logger

    package init(store: PolicyStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                var pause = Self.pause
                do {
                    try await round()
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning(
                        "versions could not be judged anew; tried again later", metadata: ["error": "\(error)"])
                    pause = Self.pauseAfterFailure
                }
                guard (try? await Task.sleep(for: pause)) != nil else { return }
            }
        }
    }

    private func round() async throws {
        var changed = 0
        while true {
            let step = try await store.judgeAnew()
            changed += step.changed
            if step.isLast { break }
        }
        while true {
            let step = try await store.judgeDue()
            changed += step.changed
            if step.isLast { break }
        }
        if changed > 0 { logger.notice("policy decided anew", metadata: ["versions": "\(changed)"]) }
    }
}
