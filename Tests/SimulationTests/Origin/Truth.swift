import EdgeCache
import NIOCore
import Registry

/// What is so from one position of the feed to the next that changes it.
struct Fact {
    enum State: Equatable {
        case absent
        /// An index file.
        case file(generation: UInt64)
        /// A download.
        case allowed
        case blocked
        /// A token that reads these repositories.
        case token(reads: Set<Int>)
        case isPrivate(Bool)
    }

    let id: Int
    let subject: Int
    let state: State
    /// The position that made it so, and when that was committed.
    let from: UInt64
    let at: Int
    /// The position that ended it, and when; endless while it holds.
    var until = UInt64.max
    var endedAt = Int.max

    /// Index files are told apart by it, as by the hash of their bytes.
    var tag: EntityTag? {
        guard case .file(let generation) = state else { return nil }
        var bytes = [UInt8](repeating: 0, count: 32)
        for place in 0..<8 { bytes[place] = UInt8(truncatingIfNeeded: id >> (8 * place)) }
        return Checksum(bytes: bytes).map { EntityTag(generation: generation, checksum: $0) }
    }
}

/// What an edge holds of a file: which fact it is.
final class HeldFact: Sendable {
    let fact: Int

    init(_ fact: Int) { self.fact = fact }

    /// The body makes the same again after a restart.
    func value(tag: EntityTag?, group: CacheGroup?) -> CachedValue {
        CachedValue(payload: self, body: ByteBuffer(integer: fact), tag: tag, group: group, bytes: 100)
    }
}

/// Everything that was ever so, in commit order: the model that answers are compared with.
struct Truth {
    private(set) var facts: [Fact] = []
    private var current: [Int] = []
    /// By position - 1: the subjects that changed there.
    private(set) var changed: [[Int]] = []
    /// By position - 1: what the feed says there.
    private(set) var events: [RegistryEvent] = []

    init(_ cast: Cast) {
        for (number, subject) in cast.subjects.enumerated() {
            let state: Fact.State =
                switch subject.kind {
                case .visibility: .isPrivate(false)
                case .index, .download, .token: .absent
                }
            current.append(facts.count)
            facts.append(Fact(id: facts.count, subject: number, state: state, from: 0, at: 0))
        }
    }

    var head: UInt64 { UInt64(events.count) }

    func now(_ subject: Int) -> Fact { facts[current[subject]] }

    /// The first thing that was so; of whatever is published later, that it is absent.
    func first(_ subject: Int) -> Fact { facts[subject] }

    mutating func commit(_ event: RegistryEvent, _ changes: [(subject: Int, state: Fact.State)], at now: Int) {
        events.append(event)
        changed.append(changes.map(\.subject))
        for (subject, state) in changes {
            facts[current[subject]].until = head
            facts[current[subject]].endedAt = now
            current[subject] = facts.count
            facts.append(Fact(id: facts.count, subject: subject, state: state, from: head, at: now))
        }
    }
}
