import Registry

/// What the database said, when, and whether what an edge served agrees with it. A value without I/O or clock.
///
/// `seenAt` is when the test saw a change, which is after its commit: whoever serves something older than a change seen
/// so long ago is certainly late, so that a slow test never accuses an edge wrongly.
struct Ledger: Sendable {
    typealias Instant = ContinuousClock.Instant

    struct Change: Hashable, Sendable {
        let position: UInt64
        let generation: UInt64
        /// Of the whole index file, hexadecimal.
        let sha256: String
        let seenAt: Instant
    }

    /// One index file as an edge served it.
    struct Read: Sendable {
        let edge: String
        let file: String
        let askedAt: Instant
        /// What this edge had said to have applied before the question.
        let applied: UInt64
        let status: Int
        /// `HIT`, `MISS`, `STALE`, or empty.
        let cache: String
        /// 0 without a tag.
        let generation: UInt64
        let sha256: String
    }

    /// Everything up to here was learned.
    private(set) var head: UInt64 = 0
    private(set) var changes: [String: [Change]] = [:]
    private(set) var objections: [String] = []

    /// The newest change of a file, named `main/keel-1`.
    func newest(_ file: String) -> Change? { changes[file]?.last }

    /// Takes the feed's next row; I3 says that none is left out and none told twice.
    mutating func learn(_ envelope: EventEnvelope, at now: Instant) {
        if envelope.position != head + 1 {
            objections.append("I3: position \(envelope.position) came after \(head)")
        }
        head = envelope.position
        guard case .index(let change) = envelope.event, let checksum = change.checksum else { return }
        let file = "\(change.repository)/\(change.crate.lowered)"
        let known = changes[file, default: []]
        if change.generation != (known.last?.generation ?? 0) + 1 {
            objections.append("I3: generation \(change.generation) of \(file) came after \(known.count)")
        }
        changes[file] =
            known + [
                Change(
                    position: envelope.position, generation: change.generation, sha256: checksum.description,
                    seenAt: now)
            ]
    }

    /// What is wrong with an answer; nil if nothing is.
    ///
    /// - Parameter lateMax: how old an answer that calls itself fresh may be: the lease time and what a loaded machine
    ///   needs on top.
    func objection(to read: Read, lateMax: Duration) -> String? {
        let known = changes[read.file, default: []]
        let place = "\(read.edge) served \(read.file)"
        switch read.status {
        case 404:
            let isThere = known.contains { $0.seenAt < read.askedAt }
            return isThere ? "I11: \(place) as absent, \(read.cache)" : nil
        case 200:
            guard let served = known.first(where: { $0.generation == read.generation }) else {
                return "I4: \(place) in generation \(read.generation), which the database never had"
            }
            if served.sha256 != read.sha256 {
                return "I8: \(place) in generation \(read.generation) with other bytes than the origin's"
            }
            if let applied = known.last(where: { $0.position <= read.applied }), applied.generation > read.generation {
                return "I4: \(place) in generation \(read.generation), \(read.cache), after it had applied "
                    + "\(applied.generation) (position \(applied.position) of \(read.applied))"
            }
            let next = known.first { $0.generation == read.generation + 1 }
            if read.cache != "STALE", let next, next.seenAt + lateMax < read.askedAt {
                return "I5: \(place) in generation \(read.generation), \(read.cache), "
                    + "\(read.askedAt - next.seenAt) after it was replaced"
            }
            return nil
        default:
            return nil
        }
    }
}
