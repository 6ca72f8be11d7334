import Hosting
import Logging
import ServiceLifecycle

/// Makes the next signing key ahead of its time, and retires those that nothing valid is signed with any more.
struct KeyRotation: Service {
    private static let interval: Duration = .seconds(60)

    let store: SigningKeyStore
    let seal: KeySeal
    let plan: KeyPlan
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await keepUp()
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    private func keepUp() async {
        do {
            for step in try await store.keepUp(plan, seal) {
                switch step {
                case .make: logger.notice("the next signing key is made and told to the edges")
                case .retire(let id): logger.notice("the signing key \(id) is retired", metadata: ["key": "\(id)"])
                }
            }
        } catch is CancellationError {
            return
        } catch {
            logger.warning("signing keys can't be kept up; tried again in a minute", metadata: ["error": "\(error)"])
        }
    }
}
