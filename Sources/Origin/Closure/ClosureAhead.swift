import Logging
import Postgres
import Registry
import Synchronization

/// Looks ahead of what the database knows, so that a closure through upstreams is one question also where nobody asked before:
/// what an upstream's answer needs is asked for as soon as that answer is heard, while it is still being written.
///
/// A closure waits for it for a bounded time; what has not come by then is not announced, and goes on coming.
/// Source: docs/decisions/0023-asking-ahead.md
final class ClosureAhead: Sendable {
    struct Limits {
        /// Names that are asked of upstreams for one closure.
        var namesMax = 400
        /// Of those, heard or not, that are not written yet.
        var openMax = 128
        /// Lines that are heard and not written yet.
        var bytesMax = 32 << 20
        /// How long a closure waits: small applications are whole by then, and the largest gain nothing by more, since what is
        /// heard takes longer to write than to ask for.
        var waitMax: Duration = .seconds(1)
        /// Closures for which names are looked for at once; the others do without.
        var looksMax = 8
    }

    private let store: ClosureStore
    private let upstreams: UpstreamDesk
    private let limits: Limits
    private let looks = Mutex(0)

    init(store: ClosureStore, upstreams: UpstreamDesk, limits: Limits = Limits()) {
        self.store = store
        self.upstreams = upstreams
        self.limits = limits
    }

    /// Makes sure of what upstreams say of the asked names; looks ahead from them if that is not known yet.
    ///
    /// - Returns: whether it looked.
    /// - Throws: as `UpstreamDesk.prepare`.
    func prepare(_ question: ClosureQuestion, in repository: Repository) async throws -> Bool {
        guard repository.readsThrough else { return true }
        let names = question.roots.compactMap { try? CrateName($0.name) }
        let standings = try await upstreams.standings(of: names, in: repository)
        guard standings.contains(where: \.at.isUnknown) else {
            try await upstreams.prepare(standings, in: repository)
            return false
        }
        async let looked: Void = look(from: question.roots, in: repository)
        try await upstreams.prepare(standings, in: repository)
        await looked
        return true
    }

    /// `ClosureStore.read`, once more after looking ahead if there are names that upstreams may have.
    ///
    /// - Parameter isGathered: what could be looked for is there.
    func read(
        _ question: ClosureQuestion, in repository: Repository, isPacked: Bool, isGathered: Bool,
        _ hand: @Sendable (ClosureStore.Part) -> Void
    ) async throws {
        guard !isGathered else {
            try await store.read(question, in: repository, isPacked: isPacked, hand)
            return
        }
        let moment = upstreams.moment
        let isFound = { @Sendable [upstreams] (paths: [IndexPath], transaction: Transaction) in
            let names = paths.compactMap { try? CrateName($0.name) }
            let standings = try await upstreams.standings(of: names, in: repository, since: moment, transaction)
            return !standings.contains(where: \.at.isUnknown)
        }
        let isRead = try await store.read(
            question, in: repository, isPacked: isPacked, isFound: isFound, hand)
        guard !isRead else { return }
        await look(from: question.roots, in: repository)
        try await store.read(question, in: repository, isPacked: isPacked, hand)
    }

    /// Returns when all is there or the time is over; then it goes on by itself.
    private func look(from roots: [IndexPath], in repository: Repository) async {
        let hasPlace = looks.withLock { looks in
            guard looks < limits.looksMax else { return false }
            looks += 1
            return true
        }
        guard hasPlace else { return }
        let (done, offer) = AsyncStream<Never>.makeStream()
        Task {
            defer {
                looks.withLock { $0 -= 1 }
                offer.finish()
            }
            do {
                try await AheadLook(
                    store: store, upstreams: upstreams, limits: limits, repository: repository, roots: roots
                ).run()
            } catch {
                upstreams.logger.warning(
                    "what a resolver asks next could not be asked ahead; it is asked for when its turn comes",
                    metadata: ["repository": "\(repository.name)", "error": "\(error)"])
            }
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in done {} }
            group.addTask { [limits] in try? await Task.sleep(for: limits.waitMax) }
            await group.next()
            group.cancelAll()
        }
    }
}
