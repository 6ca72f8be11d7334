import CoreMetrics
import Hosting
package import Logging
import NIOCore
import Registry
import Synchronization

/// Asks upstreams for what a repository reads through them: once for each question, however many wait.
package final class UpstreamDesk: Sendable {
    typealias Answer = UpstreamQuestions.Answer

    let store: UpstreamStore
    let client: UpstreamClient
    let configs: UpstreamConfigs
    let logger: Logger
    private let questions = UpstreamQuestions()
    private let writer: UpstreamWriter
    let fetching = Mutex<[Checksum: Task<Void, any Error>]>([:])

    /// - Parameter seal: opens upstreams' credentials; nil: those with one are not asked.
    package init(store: UpstreamStore, seal: KeySeal? = nil, logger: Logger) {
        self.store = store
        writer = UpstreamWriter(store: store, logger: logger)
        self.logger = logger
        client = UpstreamClient(seal: seal)
        configs = UpstreamConfigs(client: client, logger: logger)
    }

    /// Ends all connections; nothing may be asked after it.
    func close() async throws { try await client.close() }

    /// Makes sure that what the repository says of the name is what its upstreams say, as fresh as they are set to.
    ///
    /// Returns at once when the answer is current, or held and stale: then it is asked for meanwhile. An upstream that comes first
    /// in a new order is waited for; if it can't tell, what another one brought is served as before.
    /// - Throws: 503 if nothing is held and no upstream can tell (I11).
    func prepare(_ name: CrateName, in repository: Repository) async throws {
        guard repository.readsThrough else { return }
        let moment = moment
        try await prepare(
            Asked(name: name, at: store.standings(of: name, in: repository), since: moment), in: repository)
    }

    /// Many names, a few at a time.
    func prepare(_ all: [Asked], in repository: Repository) async throws {
        try await forEach(all, atOnce: 64) { try await self.prepare($0, in: repository) }
    }

    private func prepare(_ asked: Asked, in repository: Repository) async throws {
        let (name, standings) = (asked.name, asked.at)
        for (place, standing) in standings.enumerated() {
            let isSpare = !standing.saidAbsent && standings[(place + 1)...].contains(where: \.hasLines)
            switch standing.verdict {
            case .current: return
            case .stale:
                _ = ask(name, standing, since: asked.since, in: repository)
                return
            case .absent: continue
            case .paused where isSpare: continue
            case .paused(let seconds): throw unavailable(name, standing.upstream, seconds)
            case .unknown:
                switch try await ask(name, standing, since: asked.since, in: repository).kept.value {
                case .present: return
                case .absent: continue
                case .fault where standing.repeatsAbsence || isSpare: continue
                case .fault(let fault): throw unavailable(name, standing.upstream, min(fault.pauseSeconds, 10))
                }
            }
        }
    }

    /// Asks again whatever the age of what is held; never throws for the upstream's sake.
    func refresh(_ name: CrateName, at upstream: Int64, in repository: Repository) async throws {
        let moment = moment
        let standings = try await store.standings(of: name, in: repository)
        guard let place = standings.firstIndex(where: { $0.upstream.id == upstream }),
            standings[place].pauseSeconds <= 0,
            // One that comes first has the crate: this one's lines would not be taken.
            !standings[..<place].contains(where: \.hasLines)
        else { return }
        _ = try await ask(name, standings[place], since: moment, in: repository).kept.value
    }

    /// - Parameter seconds: until trying again makes sense; at most 10.
    func unavailable(_ name: CrateName, _ upstream: Upstream, _ seconds: Int) -> Refusal {
        .unavailable(
            "the upstream `\(upstream.name)` cannot be asked for `\(name.spelling)` now; try again in a moment",
            retryAfter: seconds)
    }

    /// To be taken before it is read how a name stands.
    var moment: UpstreamQuestions.Moment { questions.now }

    /// - Parameters:
    ///   - moment: before `standing` was read: what this program brought since then is not asked for again. What another replica
    ///     brought is, and is dropped when it is to be written.
    ///   - isAhead: nobody waits for it yet.
    func ask(
        _ name: CrateName, _ standing: UpstreamStanding, since moment: UpstreamQuestions.Moment,
        in repository: Repository, isAhead: Bool = false
    ) -> UpstreamQuestions.Question {
        let place = UpstreamQuestions.Place(upstream: standing.upstream.id, name: name.lowered)
        return questions.join(place, isAhead: isAhead) { number in
            let heard = Task<UpstreamQuestions.Heard, any Error> {
                if questions.mayHaveEnded(place, since: moment),
                    let known = try await answered(name, since: standing, in: repository)
                {
                    return .known(known)
                }
                return try await hear(name, standing, isAhead: isAhead) { try self.questions.begin(place, number) }
            }
            let kept = Task {
                defer { questions.end(place, number) }
                return try await keep(heard, of: name, standing, in: repository, isAhead: isAhead)
            }
            return (heard, kept)
        }
    }

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

    private func hear(
        _ name: CrateName, _ standing: UpstreamStanding, isAhead: Bool, _ begin: () throws -> Void
    ) async throws -> UpstreamQuestions.Heard {
        let upstream = standing.upstream
        let answer = try await client.file(
            upstream.index.file(name), of: upstream, known: standing.hasLines ? standing.answered?.validator : nil,
            bytesMax: UpstreamFile.bytesMax, isAhead: isAhead, begin: begin)
        guard case .file(let body, _) = answer else { return .said(answer, nil) }
        return .said(answer, try UpstreamFile(body, of: name))
    }

    private func keep(
        _ heard: Task<UpstreamQuestions.Heard, any Error>, of name: CrateName, _ standing: UpstreamStanding,
        in repository: Repository, isAhead: Bool
    ) async throws -> Answer {
        let upstream = standing.upstream
        do {
            switch try await heard.value {
            case .known(let answer): return answer
            case .said(let answer, let file):
                var outcome: UpstreamStore.Outcome?
                if case .file(_, let validator) = answer, let file, standing.answered == nil {
                    outcome = await writer.keep(
                        UpstreamNews(
                            file: file, validator: validator, standing: standing, repository: repository,
                            isAhead: isAhead, source: .current))
                }
                let kept =
                    if let outcome { outcome } else {
                        try await store.keep(answer, file, of: name, standing, in: repository)
                    }
                count(upstream, "\(kept)")
                return kept == .absent ? .absent : .present
            }
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
