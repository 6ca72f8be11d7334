import EdgeCache
import ServiceLifecycle

/// Asks for the lists of repositories and of signing keys before the first client does, and again while they are not
/// known, or in doubt after the feed began anew: an edge that is cut off later must have them.
struct ListKeeper: Service {
    let desk: CacheDesk
    let keyLease: Duration
    let pause: Duration = .milliseconds(500)
    /// An edge serves without keys, and an origin of an earlier version has none.
    let roundsBetweenKeys = 20

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var round = 0
            while !Task.isCancelled {
                await ask(ReadAccess.repositories)
                if round % roundsBetweenKeys == 0 { await ask(SignedAccess.keys(lease: keyLease)) }
                round += 1
                try? await Task.sleep(for: pause)
            }
        }
    }

    private func ask(_ question: CacheQuestion) async {
        guard desk.withCore({ core, now in core.lacks(question.key, at: now) }) else { return }
        _ = await desk.ask(question)
    }
}
