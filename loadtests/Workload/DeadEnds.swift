import Registry

/// Dependencies that nothing fits while certain candidates are chosen: what was learnt is not tried again.
struct DeadEnds: Sendable {
    private var sets: [IndexDependency: [[ObjectIdentifier: Candidate]]] = [:]
    /// Which dependencies a candidate has ever stood in the way of.
    private var victims: [ObjectIdentifier: Set<IndexDependency>] = [:]

    mutating func note(_ dependency: IndexDependency, _ inTheWay: [Candidate]) {
        let set = Dictionary(inTheWay.map { ($0.id, $0) }) { first, _ in first }
        sets[dependency, default: []].append(set)
        for id in set.keys { victims[id, default: []].insert(dependency) }
    }

    /// Why a candidate that was just chosen can't stay: one of its own dependencies, or one that waits already, is known
    /// to come to nothing beside it.
    ///
    /// - Returns: what would have to go instead of the candidate; nil if it may stay.
    func obstacles(
        to siblings: [OpenDependency], _ waiting: OpenDependencies, beside activations: Activations,
        with candidate: Candidate
    ) -> [Candidate]? {
        guard !sets.isEmpty else { return nil }
        for open in siblings {
            guard let set = first(open.dependency, activations, having: nil) else { continue }
            return set.values.filter { $0 !== candidate }
        }
        guard let victims = victims[candidate.id] else { return nil }
        for (parent, open) in waiting.all where victims.contains(open.dependency) {
            guard let set = first(open.dependency, activations, having: candidate) else { continue }
            return set.values.filter { $0 !== candidate } + [parent]
        }
        return nil
    }

    /// Whether nothing will fit the dependency beside what is chosen.
    func holds(_ dependency: IndexDependency, beside activations: Activations) -> Bool {
        first(dependency, activations, having: nil) != nil
    }

    private func first(
        _ dependency: IndexDependency, _ activations: Activations, having candidate: Candidate?
    ) -> [ObjectIdentifier: Candidate]? {
        sets[dependency]?.first { set in
            candidate.map { set[$0.id] != nil } != false
                && set.values.allSatisfy { activations.age(of: $0) != nil }
        }
    }
}
