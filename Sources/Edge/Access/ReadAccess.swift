import EdgeCache
import EdgeHTTP
import NIOCore
import Registry

/// Which repository a request is for, and whether it may read there; runs before any look-up of content.
struct ReadAccess: Sendable {
    enum Verdict: Sendable {
        /// `isCurrent` is false if the list of repositories may be out of date; `reader` is the id of the token that
        /// opened the door, empty if none was needed.
        case allowed(RepositoryFacts, isCurrent: Bool, reader: String = "")
        case refused(RenderedAnswer)
    }

    let desk: CacheDesk
    let responses: Responses
    let wallClock: @Sendable () -> Int
    let signatures: SignedAccess

    /// The verdict from what is held and current; nil if somebody has to be asked.
    ///
    /// Runs under the core's lock.
    func quick(
        _ path: EdgePath, _ request: EdgeRequest, _ memo: SecretMemo?, _ core: inout CacheCore, at now: Moment
    ) -> Verdict? {
        // Checking a signature takes too long for the lock.
        guard !SignedAccess.isMeant(by: path, request) else { return nil }
        guard let held = core.glanceList(at: now) else { return nil }
        guard let facts = Self.table(held)[path.repository] else { return .refused(responses.unknownRepository) }
        guard facts.isPrivate else { return .allowed(facts, isCurrent: true) }
        guard let memo else { return refusal(.missingToken, facts) }
        guard let key = memo.key else { return refusal(.malformedToken, facts) }
        return core.glance(key, at: now).map { judge($0, path, facts, isCurrent: true) }
    }

    /// The verdict with the origin's help.
    func find(_ path: EdgePath, _ request: EdgeRequest, _ memo: SecretMemo?) async -> Verdict {
        let (table, isCurrent): (RepositoryTable, Bool)
        switch await desk.ask(Self.repositories) {
        case .hit(let value), .miss(let value): (table, isCurrent) = (Self.table(value), true)
        case .stale(let value): (table, isCurrent) = (Self.table(value), false)
        case .unavailable: return .refused(responses.unavailable)
        }
        guard let facts = table[path.repository] else {
            return .refused(isCurrent ? responses.unknownRepository : responses.unavailable)
        }
        if SignedAccess.isMeant(by: path, request) {
            switch await signatures.find(request) {
            case .open(let reader): return .allowed(facts, isCurrent: isCurrent, reader: reader)
            case .refused(let reason): return .refused(responses.refusal(403, "\(reason)"))
            case .unavailable: return .refused(responses.unavailable)
            }
        }
        guard facts.isPrivate else { return .allowed(facts, isCurrent: isCurrent) }
        guard let memo else { return refusal(.missingToken, facts) }
        guard let key = memo.key else { return refusal(.malformedToken, facts) }
        switch await desk.ask(CacheQuestion(key, .token)) {
        case .hit(let token), .miss(let token), .stale(let token):
            return judge(token, path, facts, isCurrent: isCurrent)
        case .unavailable:
            return .refused(responses.unavailable)
        }
    }

    /// The list has no offline rule of its own: each repository's rule decides about its files.
    static let repositories = CacheQuestion(
        .repositories, .repositories, offline: .serveStale(atMost: .seconds(100 * 365 * 86_400)))

    private static func table(_ value: CachedValue) -> RepositoryTable {
        guard let payload = value.payload else { preconditionFailure("a list is never absent") }
        return unsafeDowncast(payload, to: RepositoryTable.self)
    }

    private func judge(
        _ token: CachedValue, _ path: EdgePath, _ facts: RepositoryFacts, isCurrent: Bool
    ) -> Verdict {
        let verdict = token.payload.map { unsafeDowncast($0, to: TokenVerdict.self) }
        let gate = AccessGate(verdict, facts.name, at: wallClock()) { path.crate }
        guard gate == .open else { return refusal(gate, facts) }
        return .allowed(facts, isCurrent: isCurrent, reader: verdict?.introspection.subject ?? "")
    }

    private func refusal(_ gate: AccessGate, _ facts: RepositoryFacts) -> Verdict {
        switch gate {
        case .open: preconditionFailure("an open gate refuses nobody")
        case .challenge(let text): .refused(facts.challenge(text, responses))
        case .forbidden(let text): .refused(responses.refusal(403, text))
        }
    }
}
