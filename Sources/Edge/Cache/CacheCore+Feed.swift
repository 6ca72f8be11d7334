package import Registry

extension CacheCore {
    /// Takes the event at `position`.
    ///
    /// - Returns: what the reader of the feed must do, and the fetches to run at once for what was hot (re-warm).
    package mutating func arrived(
        _ position: UInt64, _ changes: [CacheChange], at now: Moment
    ) -> (step: FeedCursor.Step, rewarm: [FetchTicket]) {
        let step = standing.arrived(position)
        guard step == .apply else { return (step, []) }
        return (step, changes.flatMap { apply($0, at: position) })
    }

    /// The origin vouched for the feed up to `head`, at `now`.
    package mutating func heardLease(head: UInt64, at now: Moment) {
        standing.heard(head: head, at: now)
        silence.answered()
    }

    /// The feed goes on from `head`, and what happened before it is not known: everything must be asked for again,
    /// each on its next use; it stays as a fallback.
    package mutating func reset(to head: UInt64, at now: Moment) {
        standing.jump(to: head, at: now)
        epoch += 1
        forgetSubjects(upTo: head)
        for id in fetches.keys {
            fetches[id]?.mustRepeat = true
            fetches[id]?.mark = head
        }
        for id in fills.keys { fills[id]?.isVoid = true }
    }

    private mutating func apply(_ change: CacheChange, at position: UInt64) -> [FetchTicket] {
        switch change {
        case .nothing:
            return []
        case .drop(let key, let kind):
            mark(key, position)
            return drop(key, kind, replacedAt: position)
        case .dropGroup(let group):
            markGroup(group, position)
            for key in entries.members(of: group) { _ = drop(key, nil, replacedAt: position) }
            return []
        case .replace(let key, let kind, let kept):
            mark(key, position)
            return replace(key, kind, with: kept, at: position)
        case .distrust(let repository):
            for key in entries.keys(where: { $0.isFile(of: repository) }) {
                entries.distrust(key)
                if let entry = entries[key] { journal.verified(entry) }
            }
            markAll(position) { $0.question.key.isFile(of: repository) }
            markFills(of: repository, position)
            return []
        case .distrustEverything:
            epoch += 1
            forgetSubjects(upTo: position)
            markAll(position) { _ in true }
            markFills(position)
            return []
        case .endSubject(let subject):
            ended.ended(subject, at: position)
            journal.ended = ended
            return []
        }
    }

    private mutating func forgetSubjects(upTo position: UInt64) {
        ended.beginAnew(at: position)
        journal.ended = ended
    }

    private mutating func drop(_ key: CacheKey, _ kind: CacheKey.Kind?, replacedAt position: UInt64) -> [FetchTicket] {
        guard let held = entries[key] else {
            // The catalogue may hold what memory has lost.
            if kind == .index { journal.dropped(key) }
            return []
        }
        guard held.position < position else { return [] }
        entries.remove(key)
        journal.dropped(key)
        if kind == .index { remember(replaced: key) }
        guard kind == .index, held.hits >= limits.hitsToRewarm else { return [] }
        return rewarm(CacheQuestion(key, held.kind, group: held.value.group))
    }

    private mutating func replace(
        _ key: CacheKey, _ kind: CacheKey.Kind, with kept: CachedValue?, at position: UInt64
    ) -> [FetchTicket] {
        if let held = entries[key], held.position < position {
            entries.remove(key)
            journal.dropped(key)
            if let kept {
                let entry = CacheEntry(
                    key: key, kind: kind, value: kept, position: held.position, epoch: 0, verifiedAt: held.verifiedAt)
                journal.stored(entry)
                entries.put(entry).forEach { journal.dropped($0) }
            }
        }
        return rewarm(CacheQuestion(key, kind))
    }

    private mutating func rewarm(_ question: CacheQuestion) -> [FetchTicket] {
        guard flights[question.key] == nil, rewarms < limits.rewarmsMax, fetches.count < limits.fetchesMax else {
            return []
        }
        return [begin(question, isRewarm: true)]
    }

    private mutating func mark(_ key: CacheKey, _ position: UInt64) {
        if let flight = flights[key] { fetches[flight]?.mark.raise(to: position) }
        markFills(key, position)
    }

    private mutating func markGroup(_ group: CacheGroup, _ position: UInt64) {
        switch group {
        case .version: markAll(position) { $0.question.group == group }
        // A secret's subject is known only when the origin has answered.
        case .subject, .noToken: markAll(position) { $0.question.kind == .token }
        }
    }

    private mutating func markAll(_ position: UInt64, where isConcerned: (Fetch) -> Bool) {
        for (id, fetch) in fetches where isConcerned(fetch) { fetches[id]?.mark.raise(to: position) }
    }
}
