@testable import Edge

/// What every answer to a client is compared with.
extension World {
    /// Connected edges have this long to act on a block or a revocation (I6, I7).
    static let reactionTimeMax = 1_000_000
    /// How long an answer, a lease or a frozen process may be on its way, at most.
    private func transitTimeMax(_ edge: SimEdge) -> Int {
        now > edge.frozenUntil + 20_000_000 ? 3_000_000 : 12_000_000
    }

    /// The replica's interval between two looks, and as much again.
    private static let leaseAgeMax = 2_100_000

    func check(_ answer: ClientRequest.Answer, to request: ClientRequest) {
        answers += 1
        let edge = request.edge
        switch answer {
        case .shown(let id, let cache):
            let fact = truth.facts[id]
            note(
                edge.name, cache == .hit ? "hits" : cache == .miss ? "misses" : "serves stale", key: request.number,
                UInt64(id), edge.ghost.applied)
            guard fact.subject == request.number else {
                return fail(.privacy, "\(edge.name) shows \(cast[fact.subject])", at: edge, key: request.number)
            }
            check(fact, cache, request)
            checkReaction(fact, edge)
            checkWitness(fact, request)
        case .notFound(let cache):
            note(edge.name, "says 404", key: request.number, cache == .hit ? 0 : 1, edge.ghost.applied)
            checkAbsence(cache, request)
        case .challenge, .forbidden: break
        case .unavailable: note(edge.name, "says 503", key: request.number, edge.ghost.applied, 0)
        }
    }

    private func check(_ fact: Fact, _ cache: CacheState, _ request: ClientRequest) {
        let edge = request.edge
        switch cache {
        case .hit:
            checkFreshness(fact, edge)
            checkPosition(fact, edge)
        case .miss: checkPosition(fact, edge)
        case .stale:
            if fact.until <= edge.ghost.floors[fact.subject] {
                fail(
                    .neverOlder, "stale, \(edge.name) shows what the event at \(fact.until) replaced, which it applied",
                    at: edge, key: fact.subject)
            }
            checkOffline(fact, edge)
        }
    }

    /// I4: what is called current holds everything that the edge has applied.
    private func checkPosition(_ fact: Fact, _ edge: SimEdge) {
        guard fact.until <= edge.ghost.applied else { return }
        fail(
            .neverOlder, "\(edge.name) has applied \(edge.ghost.applied) and shows what ended at \(fact.until)",
            at: edge, key: fact.subject)
    }

    /// I5: a hit needs a lease, and was current when the lease was made.
    private func checkFreshness(_ fact: Fact, _ edge: SimEdge) {
        guard edge.ghost.isFresh(at: now, leaseTime: SimEdge.leaseTime) else {
            return fail(.knowsBlindness, "\(edge.name) has no lease and calls it current", at: edge, key: fact.subject)
        }
        guard fact.endedAt <= edge.ghost.vouchedAt else { return }
        fail(
            .knowsBlindness, "\(edge.name) calls current what had ended before the last lease was made", at: edge,
            key: fact.subject)
    }

    /// I5: an origin that lost its database vouches for nothing.
    func checkLease(seenAt: Int, of stream: SimStream) {
        let age = now - seenAt
        guard age > Self.leaseAgeMax else { return }
        fail(
            .knowsBlindness, "\(stream.replica.label) vouches for what it saw \(Trace.seconds(age)) ago",
            at: stream.edge)
    }

    /// I5: stale answers follow the repository's rule.
    private func checkOffline(_ fact: Fact, _ edge: SimEdge) {
        guard let most = Self.offline[cast[fact.subject].repository] else {
            return fail(.knowsBlindness, "the repository refuses stale answers", at: edge, key: fact.subject)
        }
        guard fact.endedAt != .max else { return }
        let age = now - fact.endedAt
        guard age > (most + edge.wallJumps) * 1_000_000 + transitTimeMax(edge) else { return }
        fail(
            .knowsBlindness, "\(edge.name) shows what ended \(Trace.seconds(age)) ago; \(most) s are allowed", at: edge,
            key: fact.subject)
    }

    /// I6: what was blocked, and all else that changed, is gone from a connected edge after a second.
    private func checkReaction(_ fact: Fact, _ edge: SimEdge) {
        guard isOverdue(fact, edge) else { return }
        fail(
            .blocked, "\(edge.name) is connected and shows what ended \(Trace.seconds(now - fact.endedAt)) ago",
            at: edge, key: fact.subject)
    }

    private func isOverdue(_ fact: Fact, _ edge: SimEdge) -> Bool {
        fact.endedAt != .max && edge.calmSince <= fact.endedAt && now > fact.endedAt + Self.reactionTimeMax
    }

    private func checkWitness(_ fact: Fact, _ request: ClientRequest) {
        guard case .file(let generation) = fact.state, generation < request.witness else { return }
        fail(
            .monotonicReads, "a client that has seen generation \(request.witness) is shown \(generation)",
            at: request.edge, key: fact.subject)
    }

    /// I11. A file is absent until it is published, and never again.
    private func checkAbsence(_ cache: CacheState, _ request: ClientRequest) {
        let edge = request.edge
        let absence = truth.first(request.number)
        if request.witness > 0 {
            fail(.monotonicReads, "404 to a client that has seen it", at: edge, key: request.number)
        }
        if cache == .stale || (cache == .hit && !edge.ghost.isFresh(at: now, leaseTime: SimEdge.leaseTime)) {
            fail(.noFalseAbsence, "\(edge.name) is blind and says 404", at: edge, key: request.number)
        }
        if absence.until <= edge.ghost.applied {
            fail(
                .noFalseAbsence, "\(edge.name) has applied \(edge.ghost.applied); it exists since \(absence.until)",
                at: edge, key: request.number)
        }
        if cache == .hit, absence.endedAt <= edge.ghost.vouchedAt {
            fail(.noFalseAbsence, "it existed when the last lease was made", at: edge, key: request.number)
        }
        checkReaction(absence, edge)
    }

    /// I7, at the moment at which the way to a file is opened.
    func check(_ credential: ClientRequest.Credential, of request: ClientRequest) {
        let edge = request.edge
        switch credential {
        case .publicRepository:
            let repository = cast[request.number].repository
            guard repository != 0 else { return }
            let visibility = truth.now(cast.visibility)
            let isWrong =
                repository == 1
                || (visibility.state == .isPrivate(true) && visibility.from <= edge.ghost.floors[cast.visibility])
            guard isWrong else { return }
            fail(.privacy, "\(edge.name) opens a private repository to everybody", at: edge, key: request.number)
        case .token(let id):
            let fact = truth.facts[id]
            note(edge.name, "accepts", key: fact.subject, UInt64(id), edge.ghost.floors[fact.subject])
            guard case .token(let reads) = fact.state, reads.contains(cast[request.number].repository),
                fact.subject == request.token
            else {
                return fail(.privacy, "\(edge.name) takes a token for another", at: edge, key: request.number)
            }
            checkRevocation(fact, edge)
        }
    }

    private func checkRevocation(_ fact: Fact, _ edge: SimEdge) {
        guard fact.endedAt != .max else { return }
        if fact.until <= edge.ghost.floors[fact.subject] {
            fail(
                .privacy, "\(edge.name) applied \(fact.until), which took these rights away", at: edge,
                key: fact.subject)
        } else if isOverdue(fact, edge) {
            fail(
                .privacy,
                "\(edge.name) is connected and accepts a token that ended "
                    + "\(Trace.seconds(now - fact.endedAt)) ago", at: edge, key: fact.subject)
        } else if now > fact.endedAt + SimEdge.tokenLease + transitTimeMax(edge) {
            fail(
                .privacy,
                "\(edge.name) accepts a token that ended \(Trace.seconds(now - fact.endedAt)) ago, "
                    + "longer than the token lease", at: edge, key: fact.subject)
        }
    }
}
