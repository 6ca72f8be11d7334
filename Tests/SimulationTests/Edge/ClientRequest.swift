import EdgeCache
import Registry

@testable import Edge
@testable import EdgeCache

/// One client's request at an edge, on the way that `Routes`, `ReadAccess`, `IndexRoute` and `CrateRoute` walk.
final class ClientRequest {
    enum Answer: Equatable {
        /// 200 or 304 of an index file, or 200 of a download, or 403 of a blocked one; which fact it shows.
        case shown(fact: Int, CacheState)
        case notFound(CacheState)
        case challenge
        case forbidden
        case unavailable
    }

    /// What opened the way to a file.
    enum Credential: Equatable {
        case publicRepository
        /// The fact that the token's verdict was read from.
        case token(fact: Int)
    }

    private enum Stage { case list, token, file }

    let id: Int
    let edge: SimEdge
    let number: Int
    /// The token's place in the cast; nil for none.
    let token: Int?
    let witness: UInt64
    private let subject: Subject
    private let done: (Answer) -> Void
    private var stage = Stage.list
    private var facts: RepositoryFacts?
    private(set) var credential = Credential.publicRepository

    init(
        _ id: Int, _ edge: SimEdge, number: Int, token: Int?, witness: UInt64, done: @escaping (Answer) -> Void
    ) {
        self.id = id
        self.edge = edge
        self.number = number
        self.token = token
        self.witness = witness
        subject = edge.world.cast[number]
        self.done = done
    }

    /// What is held and current is answered at once; else the edge asks, from the list of repositories on.
    func start() {
        edge.requests[id] = self
        if let answer = quick() { return finish(answer) }
        edge.ask(ReadAccess.repositories, for: id)
    }

    func goOn(with finding: Finding) {
        switch stage {
        case .list: hear(list: finding)
        case .token: hear(token: finding)
        case .file: hear(file: finding)
        }
    }

    // MARK: What is held

    private func quick() -> Answer? {
        guard let held = edge.book.core.glance(.repositories, at: edge.moment),
            let facts = Self.facts(held, subject.repository)
        else { return nil }
        if facts.isPrivate {
            guard let token, let key = edge.world.cast[token].cacheKey else { return .challenge }
            guard let verdict = edge.book.core.glance(key, at: edge.moment) else { return nil }
            if let refusal = judge(verdict, facts) { return refusal }
        }
        edge.world.check(credential, of: self)
        guard let key = subject.cacheKey, let value = edge.book.core.glance(key, at: edge.moment) else { return nil }
        guard let fact = Self.fact(value) else {
            return subject.kind == .index && witness == 0 ? .notFound(.hit) : nil
        }
        return subject.kind == .index && witness > value.generation ? nil : .shown(fact: fact, .hit)
    }

    // MARK: With the origin's help

    private func hear(list finding: Finding) {
        guard let (value, _) = finding.word, let facts = Self.facts(value, subject.repository) else {
            return finish(.unavailable)
        }
        self.facts = facts
        guard facts.isPrivate else { return askFile(facts) }
        guard let token, let key = edge.world.cast[token].cacheKey else { return finish(.challenge) }
        stage = .token
        edge.ask(CacheQuestion(key, .token), for: id)
    }

    private func hear(token finding: Finding) {
        guard let facts else { return finish(.unavailable) }
        switch finding {
        case .hit(let verdict), .miss(let verdict), .stale(let verdict):
            if let refusal = judge(verdict, facts) { finish(refusal) } else { askFile(facts) }
        case .unavailable: finish(.unavailable)
        }
    }

    private func askFile(_ facts: RepositoryFacts) {
        guard let key = subject.cacheKey else { return finish(.unavailable) }
        stage = .file
        edge.world.check(credential, of: self)
        let isIndex = subject.kind == .index
        edge.ask(
            CacheQuestion(
                key, isIndex ? .index : .crate, group: subject.group, witness: isIndex ? witness : 0,
                offline: facts.offline),
            for: id)
    }

    private func hear(file finding: Finding) {
        guard let (value, cache) = finding.word else { return finish(.unavailable) }
        finish(Self.fact(value).map { .shown(fact: $0, cache) } ?? .notFound(cache))
    }

    /// - Returns: nil if the token opens the way.
    private func judge(_ held: CachedValue, _ facts: RepositoryFacts) -> Answer? {
        let verdict = held.payload as? TokenVerdict
        switch AccessGate(verdict, facts.name, at: edge.wallClock, of: { self.subject.crate }) {
        case .open:
            credential = .token(fact: (verdict?.introspection.expires ?? 0) - World.tokenExpiryBase)
            return nil
        case .challenge: return .challenge
        case .forbidden: return .forbidden
        }
    }

    private func finish(_ answer: Answer) {
        edge.requests[id] = nil
        edge.world.check(answer, to: self)
        done(answer)
    }

    private static func facts(_ value: CachedValue, _ repository: Int) -> RepositoryFacts? {
        (value.payload as? RepositoryTable)?[Cast.repositoryBytes[repository]]
    }

    private static func fact(_ value: CachedValue) -> Int? { (value.payload as? HeldFact)?.fact }
}
