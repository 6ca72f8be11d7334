import Logging
import ServiceLifecycle

/// Keeps connections to the origin open for the parts of the next question for a closure: a new one costs a round trip, with
/// TLS two, before it carries anything.
///
/// As many questions at once as there are parts; each needs a connection of its own, and leaves it open. Not left to the
/// HTTP client's own pool, which would open new ones without a pause while the origin is down.
struct ConnectionWarmer: Service {
    let client: OriginClient
    /// In how many parts the next question will be asked; nil where no closures are asked for.
    let countMax: (@Sendable () -> Int)?
    let logger: Logger
    /// Shorter than the time after which `OriginClient` closes a connection that nobody uses.
    var pause: Duration = .seconds(50)
    var pauseAfterFailure: Duration = .seconds(5)

    func run() async throws {
        // A service that ends would end the program.
        guard let countMax else { return try await gracefulShutdown() }
        await cancelWhenGracefulShutdown {
            // The first answer says whether there are parts.
            var count = 1
            while !Task.isCancelled {
                let isWarm = await self.warm(count)
                let known = min(countMax(), self.client.closurePartsMax)
                if known == count { try? await Task.sleep(for: isWarm ? self.pause : self.pauseAfterFailure) }
                count = known
            }
        }
    }

    /// - Returns: whether all of them were answered.
    private func warm(_ count: Int) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<count {
                group.addTask {
                    do {
                        try await client.warm()
                        return true
                    } catch {
                        logger.debug("a connection to the origin could not be opened", metadata: ["error": "\(error)"])
                        return false
                    }
                }
            }
            return await group.reduce(true) { $0 && $1 }
        }
    }
}
