import CoreMetrics
import Hosting
package import Logging
import NIOCore
import Registry
import Synchronization

/// Asks upstreams for what a repository reads through them: once for each question, however many wait.
package final class UpstreamDesk: Sendable {
    private enum Answer: Sendable {
        case present
        case absent
        case fault(UpstreamFault)
    }

    private struct Place: Hashable {
        let upstream: Int64
        let name: String
    }

    let store: UpstreamStore
    let client: UpstreamClient
    let configs: UpstreamConfigs
    let logger: Logger
    private let asking = Mutex<[Place: Task<Answer, any Error>]>([:])
    let fetching = Mutex<[Checksum: Task<Void, any Error>]>([:])

    /// - Parameter seal: opens upstreams' credentials; nil: those with one are not asked.
    package init(store: UpstreamStore, seal: KeySeal? = nil, logger: Logger) {
        self.store = store
        self.logger = logger
        client = UpstreamClient(seal: seal)
        configs = UpstreamConfigs(client: client, logger: logger)
    }

    /// Ends all connections; nothing may be asked after it.
    func close() async throws { try await client.close() }

    /// Makes sure that what the repository says of the name is what its upstreams say, as fresh as they are set to.
    ///
    /// Returns at once when the answer is current, or held and stale: then it is asked for meanwhile.
    /// - Throws: 503 if nothing is held and no upstream can tell (I11).
    func prepare(_ name: CrateName, in repository: Repository) async throws {
        guard repository.readsThrough else { return }
        for standing in try await store.standings(of: name, in: repository) {
            switch standing.verdict {
            case .current: return
            case .stale:
                _ = ask(name, standing, in: repository)
                return
            case .absent: continue
            case .paused(let seconds): throw unavailable(name, standing.upstream, seconds)
            case .unknown:
                switch try await ask(name, standing, in: repository).value {
                case .present: return
                case .absent: continue
                case .fault where standing.repeatsAbsence: continue
                case .fault(let fault): throw unavailable(name, standing.upstream, min(fault.pauseSeconds, 10))
                }
            }
        }
    }

    /// Many names, a few at a time.
    func prepare(_ names: [CrateName], in repository: Repository) async throws {
        guard repository.readsThrough else { return }
        try await forEach(names, atOnce: 64) { try await self.prepare($0, in: repository) }
    }

    /// Asks again whatever the age of what is held; never throws for the upstream's sake.
    func refresh(_ name: CrateName, at upstream: Int64, in repository: Repository) async throws {
        let standings = try await store.standings(of: name, in: repository)
        guard let place = standings.firstIndex(where: { $0.upstream.id == upstream }),
            standings[place].pauseSeconds <= 0,
            // One that comes first has the crate: this one's lines would not be taken.
            !standings[..<place].contains(where: \.hasLines)
        else { return }
        _ = try await ask(name, standings[place], in: repository).value
    }

    /// - Parameter seconds: until trying again makes sense; at most 10.
    func unavailable(_ name: CrateName, _ upstream: Upstream, _ seconds: Int) -> Refusal {
        .unavailable(
            "the upstream `\(upstream.name)` cannot be asked for `\(name.spelling)` now; try again in a moment",
            retryAfter: seconds)
    }

    private func ask(
        _ name: CrateName, _ standing: UpstreamStanding, in repository: Repository
    ) -> Task<Answer, any Error> {
        let place = Place(upstream: standing.upstream.id, name: name.lowered)
        return asking.withLock { asking in
            if let running = asking[place] { return running }
            let task = Task {
                defer { forget(place) }
                if let known = try await answered(name, since: standing, in: repository) { return known }
                return try await answer(name, standing, in: repository)
            }
            asking[place] = task
            return task
        }
    }

    private func forget(_ place: Place) { asking.withLock { $0[place] = nil } }

    /// - Returns: what another question brought after `standing` was read; nil if there was none.
    private func answered(
        _ name: CrateName, since standing: UpstreamStanding, in repository: Repository
    ) async throws -> Answer? {
        let standings = try await store.standings(of: name, in: repository)
        guard let answered = standings.first(where: { $0.upstream.id == standing.upstream.id })?.answered,
            answered.stamp != standing.answered?.stamp
        else { return nil }
        return answered.isAbsent ? .absent : .present
    }

    private func answer(
        _ name: CrateName, _ standing: UpstreamStanding, in repository: Repository
    ) async throws -> Answer {
        let upstream = standing.upstream
        do {
            let answer = try await client.file(
                upstream.index.file(name), of: upstream, known: standing.hasLines ? standing.answered?.validator : nil,
                bytesMax: UpstreamFile.bytesMax)
            let outcome = try await store.keep(answer, of: name, standing, in: repository)
            count(upstream, "\(outcome)")
            return outcome == .absent ? .absent : .present
        } catch let fault as UpstreamFault {
            if fault.extent != .unasked { count(upstream, "fault") }
            try await note(
                fault, "an upstream gave no usable answer; what is held stays", name, upstream, in: repository)
            return .fault(fault)
        }
    }

    /// Tells the operator, unless nobody was asked at all.
    func note(
        _ fault: UpstreamFault, _ what: String, _ name: CrateName, _ upstream: Upstream, in repository: Repository
    ) async throws {
        guard fault.extent != .unasked else { return }
        logger.warning(
            "\(what)",
            metadata: [
                "repository": "\(repository.name)", "upstream": "\(upstream.name)", "crate": "\(name.lowered)",
                "error": "\(fault)",
            ])
        try await store.noteFault(fault, of: name, upstream)
    }

    private func count(_ upstream: Upstream, _ result: String) {
        Metric.upstreamRequests.counter(["upstream": upstream.name, "result": result]).increment()
    }
}
