import EdgeCache
import EdgeHTTP
import NIOCore
import Registry
import Signing

/// Which repository a request is for, and whether it may read there; runs before any look-up of content.
struct ReadAccess: Sendable {
    enum Verdict: Sendable {
        /// `isCurrent` is false if the list of repositories may be out of date; `reader` is the id of the token that
        /// opened the door, empty if none was needed.
        case allowed(RepositoryFacts, isCurrent: Bool, reader: String = "")
        /// `why` is nil if nobody was kept from anything: there is no such repository, or it can't be told.
        case refused(RenderedAnswer, why: RefusedAccess? = nil)
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
        guard let memo else { return refusal(.missingToken, .nobody, facts) }
        guard let key = memo.key else { return refusal(.malformedToken, .nobody, facts) }
        return core.glance(key, at: now).map { judge($0, memo, path, facts, isCurrent: true) }
    }

    /// Whether everybody may read in a repository, by what is held and current; false, too, if somebody has to be asked.
    ///
    /// Runs under the core's lock.
    func isOpenToAll(_ name: UnsafeRawBufferPointer, _ core: inout CacheCore, at now: Moment) -> Bool {
        guard let held = core.glanceList(at: now), let facts = Self.table(held).facts(of: name) else { return false }
        return !facts.isPrivate
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
            case .refused(let refusal, let reader):
                let why = RefusedAccess(
                    rule: AccessRefusal.Rule.signedURL + refusal.word, reader: .init(reader), repository: facts.name,
                    reason: "\(refusal)")
                return .refused(responses.refusal(403, why.reason), why: why)
            case .unavailable: return .refused(responses.unavailable)
            }
        }
        guard facts.isPrivate else { return .allowed(facts, isCurrent: isCurrent) }
        guard let memo else { return refusal(.missingToken, .nobody, facts) }
        guard let key = memo.key else { return refusal(.malformedToken, .nobody, facts) }
        switch await desk.ask(CacheQuestion(key, .token)) {
        case .hit(let token), .miss(let token), .stale(let token):
            return judge(token, memo, path, facts, isCurrent: isCurrent)
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
        _ token: CachedValue, _ memo: SecretMemo, _ path: EdgePath, _ facts: RepositoryFacts, isCurrent: Bool
    ) -> Verdict {
        let verdict = token.payload.map { unsafeDowncast($0, to: TokenVerdict.self) }
        let gate = AccessGate(verdict, facts.name, at: wallClock()) { path.crate }
        guard gate == .open else {
            let reader: RefusedAccess.Reader =
                if let verdict { .subject(verdict.introspection.subject) } else if let hash = memo.hash {
                    .secret(hash)
                } else { .nobody }
            return refusal(gate, reader, facts)
        }
        return .allowed(facts, isCurrent: isCurrent, reader: verdict?.introspection.subject ?? "")
    }

    private func refusal(_ gate: AccessGate, _ reader: RefusedAccess.Reader, _ facts: RepositoryFacts) -> Verdict {
        func why(_ rule: String, _ text: String) -> RefusedAccess {
            RefusedAccess(rule: rule, reader: reader, repository: facts.name, reason: text)
        }
        switch gate {
        case .open: preconditionFailure("an open gate refuses nobody")
        case .challenge(let text, let rule):
            return .refused(facts.challenge(text, responses), why: why(rule, text))
        case .forbidden(let text):
            return .refused(responses.refusal(403, text), why: why(AccessRefusal.Rule.notAllowed, text))
        }
    }
}
