extension CacheCore {
    /// Takes the origin's answer, or the news that there is none.
    package mutating func finished(_ id: UInt64, _ answer: FetchAnswer, at now: Moment) -> FetchOutcome {
        guard let fetch = fetches[id] else { preconditionFailure("a fetch ends once") }
        switch answer {
        case .failed(let isUnreachable, _):
            guard isUnreachable else {
                end(fetch)
                return .failed
            }
            silence.failed(at: now)
            return lostOnTheWay(fetch, at: now)
        case .same(let position):
            silence.answered()
            guard let known = fetch.known else { preconditionFailure("only a known value can be the same") }
            return settle(fetch, known, position, at: now)
        case .value(let value, let position):
            silence.answered()
            return settle(fetch, value, position, at: now)
        }
    }

    /// What follows from a question that got no answer. The feed of a fresh edge says that the origin is there, so only the
    /// way of this one question was broken, as connections are that were open before a cut: it goes out again.
    mutating func lostOnTheWay(_ fetch: Fetch, at now: Moment) -> FetchOutcome {
        let firstLoss = fetch.lostAt ?? now
        guard isFresh(at: now), now < firstLoss + limits.againMax else {
            end(fetch)
            return .failed
        }
        var lost = fetch
        lost.lostAt = firstLoss
        return again(lost)
    }

    mutating func begin(_ question: CacheQuestion, isRewarm: Bool) -> FetchTicket {
        lastFetch += 1
        let held = entries[question.key]
        // Whatever was applied, or served, before the question leaves must be in the answer.
        let fetch = Fetch(
            id: lastFetch, question: question, isRewarm: isRewarm,
            mark: max(standing.applied, held?.epoch == epoch ? held?.position ?? 0 : 0),
            witness: question.witness, witnessSent: question.witness, known: held?.value.known)
        fetches[fetch.id] = fetch
        flights[question.key] = fetch.id
        if isRewarm { rewarms += 1 }
        return fetch.ticket
    }

    private mutating func settle(
        _ fetch: Fetch, _ value: CachedValue, _ position: UInt64, at now: Moment
    ) -> FetchOutcome {
        let isBehindWitness = value.generation < fetch.witness && fetch.witness > fetch.witnessSent
        // No event marks the fetch of a download that came into being, so its absence must be as new as the edge (I11).
        let isOldAbsence = fetch.question.kind == .crate && value.isAbsent && position < standing.applied
        guard !fetch.mustRepeat, position >= fetch.mark, !isBehindWitness, !isOldAbsence else { return again(fetch) }
        end(fetch)
        store(fetch, value, position, at: now)
        return .value(value)
    }

    /// Asks once more, and alone; ends it if only a fill wanted it.
    mutating func again(_ fetch: Fetch) -> FetchOutcome {
        guard fetch.attempts < limits.attemptsMax, fetch.fill == nil || fetch.isAwaited else {
            end(fetch)
            return .failed
        }
        leaveFill(fetch)
        var next = fetch
        next.fill = nil
        next.announced = nil
        next.isGathering = false
        next.attempts += 1
        next.mustRepeat = false
        next.witnessSent = next.witness
        next.known = entries[fetch.question.key]?.value.known
        fetches[fetch.id] = next
        return .again(next.ticket)
    }

    mutating func end(_ fetch: Fetch) {
        leaveFill(fetch)
        fetches[fetch.id] = nil
        flights[fetch.question.key] = nil
        if fetch.isRewarm { rewarms -= 1 }
    }

    private mutating func leaveFill(_ fetch: Fetch) {
        if let fill = fetch.fill { fills[fill]?.fetches.remove(fetch.id) }
    }

    private mutating func store(_ fetch: Fetch, _ value: CachedValue, _ position: UInt64, at now: Moment) {
        let key = fetch.question.key
        // No event says that a download came into being, so its absence can't be remembered.
        if fetch.question.kind == .crate, value.isAbsent {
            if entries.remove(key) != nil { journal.dropped(key) }
            return
        }
        if let held = entries[key], let payload = held.value.payload, payload === value.payload {
            entries.verify(key, position: position, epoch: epoch, at: now)
            if let held = entries[key] { journal.verified(held) }
            return
        }
        replaced.remove(key)
        let hits = entries[key]?.hits ?? 0
        let entry = CacheEntry(
            key: key, kind: fetch.question.kind, value: value, position: position, epoch: epoch, verifiedAt: now,
            // What nobody has asked for yet goes first.
            hits: hits, wasUsed: fetch.isAwaited || fetch.fill == nil)
        journal.stored(entry)
        entries.put(entry).forEach { journal.dropped($0) }
    }
}

extension CachedValue {
    /// What can be compared with the origin's: absence has nothing to compare by.
    var known: CachedValue? { isAbsent ? nil : self }
}
