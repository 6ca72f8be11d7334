package import Registry

extension CacheCore {
    /// Puts fetches that `ask` said to gather into one question for a closure.
    ///
    /// - Parameter ids: of one repository.
    /// - Returns: nil if a fill that ran has taken them all over.
    package mutating func beginFill(_ ids: [UInt64], of repository: RepositoryName) -> FillTicket? {
        let roots = ids.compactMap { fetches[$0] }.filter(\.isGathering)
        guard !roots.isEmpty else { return nil }
        lastFill += 1
        var fill = Fill(id: lastFill, repository: repository, floor: standing.applied)
        for root in roots {
            fetches[root.id]?.fill = fill.id
            fetches[root.id]?.isGathering = false
            fill.fetches.insert(root.id)
        }
        fills[fill.id] = fill
        let coming = fetches.values.filter { $0.announced != nil && $0.question.key.isFile(of: repository) }
            .map { ($0.question.key, $0.announced) }
        let held = entries.indexFiles(of: repository, countMax: limits.fillHeldMax).map { ($0.key, $0.value.tag) }
        return FillTicket(id: fill.id, repository: repository, roots: roots.map(\.question.key), held: coming + held)
    }

    /// True while a fill of the repository runs whose list is not there: it may bring what others are about to ask.
    package func awaitsList(of repository: RepositoryName) -> Bool {
        fills.values.contains { $0.repository == repository && $0.position == nil }
    }

    /// Takes the list with which the answer begins. From here on who asks for one of its files waits for it.
    package mutating func announced(
        _ id: UInt64, _ items: [FillItem], position: UInt64, at now: Moment
    ) -> (ends: [FillEnd], figures: FillFigures) {
        guard let fill = fills[id], fill.position == nil else { preconditionFailure("a fill has one list") }
        silence.answered()
        fills[id]?.position = position
        var figures = FillFigures()
        let ends = items.compactMap { take($0, fill, position, &figures, at: now) }
        return (ends, figures)
    }

    /// Takes one file of the answer.
    ///
    /// - Returns: nil if nobody waits for it: it was a no-op.
    package mutating func filled(_ id: UInt64, _ key: CacheKey, _ value: CachedValue, at now: Moment) -> FillEnd? {
        guard let position = fills[id]?.position, let fetch = fetch(of: id, for: key) else { return nil }
        return FillEnd(id: fetch.id, outcome: finished(fetch.id, .value(value, position: position), at: now))
    }

    /// Takes the end of the answer, or the news that there is none. What it did not bring is asked for alone, if anybody
    /// waits for it. If the origin can't be reached, names that were held back for the list share the fate of those in it.
    package mutating func fillEnded(_ id: UInt64, _ failure: FillFailure?, at now: Moment) -> [FillEnd] {
        guard let fill = fills.removeValue(forKey: id) else { preconditionFailure("a fill ends once") }
        if failure == .unknown { fillsPauseUntil = now + limits.fillPause }
        guard failure == .unreachable, fill.position == nil else {
            return fill.fetches.sorted().compactMap { id in
                fetches[id].map { FillEnd(id: id, outcome: again($0)) }
            }
        }
        silence.failed(at: now)
        let heldBack = fetches.values.filter { $0.isGathering && $0.question.key.isFile(of: fill.repository) }
        return fill.fetches.union(heldBack.map(\.id)).sorted().compactMap { id in
            fetches[id].map { FillEnd(id: id, outcome: lostOnTheWay($0, at: now)) }
        }
    }

    /// A name that the edge knows nothing of. One that was replaced or is in doubt is asked for alone: its neighbours
    /// are here. Where there is hardly room, what nobody asked for would push out what is asked for.
    func mayFill(_ question: CacheQuestion, at now: Moment) -> Bool {
        guard question.kind == .index, fills.count < limits.fillsMax, !silence.isOn, entries.isRoomy else {
            return false
        }
        guard entries[question.key] == nil, !replaced.contains(question.key) else { return false }
        return fillsPauseUntil.map { now >= $0 } ?? true
    }

    /// Remembers that a name was known, without its content.
    mutating func remember(replaced key: CacheKey) {
        if replaced.count >= limits.replacedMax { replaced.removeAll() }
        replaced.insert(key)
    }

    mutating func markFills(_ key: CacheKey, _ position: UInt64) {
        for id in fills.keys { fills[id]?.mark(key, position) }
    }

    mutating func markFills(of repository: RepositoryName? = nil, _ position: UInt64) {
        for (id, fill) in fills where repository == nil || fill.repository == repository {
            fills[id]?.floor.raise(to: position)
        }
    }

    /// Takes a fetch over that waits to leave with the next fill. One whose client has shown a witness stays: the fill
    /// left before that client asked, so an answer behind the witness is no proof that it lied (I5).
    private mutating func adopt(_ key: CacheKey, _ fill: Fill, _ position: UInt64) -> Fetch? {
        guard let flight = flights[key], let fetch = fetches[flight], fetch.isGathering, !fill.isVoid,
            !fetch.mustRepeat, position >= fetch.mark, fetch.witness == 0
        else { return nil }
        fetches[flight]?.fill = fill.id
        fetches[flight]?.isGathering = false
        fills[fill.id]?.fetches.insert(flight)
        return fetches[flight]
    }

    private func fetch(of fill: UInt64, for key: CacheKey) -> Fetch? {
        guard let flight = flights[key], let fetch = fetches[flight], fetch.fill == fill else { return nil }
        return fetch
    }

    private mutating func take(
        _ item: FillItem, _ fill: Fill, _ position: UInt64, _ figures: inout FillFigures, at now: Moment
    ) -> FillEnd? {
        let known = fetch(of: fill.id, for: item.key) ?? adopt(item.key, fill, position)
        guard let fetch = known ?? beginAnnounced(item, fill, position, &figures) else { return nil }
        switch item.state {
        case .file(let tag):
            fetches[fetch.id]?.announced = tag
            figures.awaited += 1
            return nil
        case .absent:
            figures.absent += 1
            return FillEnd(id: fetch.id, outcome: finished(fetch.id, .value(.absent(), position: position), at: now))
        case .same(let tag):
            figures.held += 1
            // Another file with the same mark: what the origin meant is not here.
            guard fetch.known?.tag == tag else { return FillEnd(id: fetch.id, outcome: again(fetch)) }
            return FillEnd(id: fetch.id, outcome: finished(fetch.id, .same(position: position), at: now))
        }
    }

    /// - Returns: nil for a name of which the answer brings no news.
    private mutating func beginAnnounced(
        _ item: FillItem, _ fill: Fill, _ position: UInt64, _ figures: inout FillFigures
    ) -> Fetch? {
        let held = entries[item.key]
        guard flights[item.key] == nil, held?.epoch != epoch else {
            figures.held += 1
            return nil
        }
        let mark = fill.mark(of: item.key)
        guard !fill.isVoid, position >= mark else {
            figures.overtaken += 1
            return nil
        }
        guard fetches.count < limits.fetchesMax / 2 else { return nil }
        lastFetch += 1
        let fetch = Fetch(
            id: lastFetch, question: CacheQuestion(item.key, .index), isRewarm: false, mark: mark, witness: 0,
            witnessSent: 0, known: held?.value.known, fill: fill.id, isAwaited: false)
        fetches[fetch.id] = fetch
        flights[item.key] = fetch.id
        fills[fill.id]?.fetches.insert(fetch.id)
        return fetch
    }
}
