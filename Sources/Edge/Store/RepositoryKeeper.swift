import EdgeCache
import ServiceLifecycle

/// Asks for the list of repositories before the first client does, and again while it is not known.
struct RepositoryKeeper: Service {
    let desk: CacheDesk
    let pause: Duration = .milliseconds(500)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                if desk.withCore({ core, _ in core.held(.repositories) == nil }) {
                    _ = await desk.ask(ReadAccess.repositories)
                }
                try? await Task.sleep(for: pause)
            }
        }
    }
}
