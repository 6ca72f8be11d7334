import EdgeCache
import FoundationEssentials
import Registry

/// One word of the feed, read from an event of the stream.
enum FeedWord: Sendable {
    case lease(head: UInt64)
    case reset(head: UInt64)
    case event(EventEnvelope)

    /// - Throws: what makes the connection worthless: data that is not what its kind asks for, or no position.
    init(_ event: ServerSentEvents.Event) throws {
        switch (event.kind, event.position) {
        case ("lease", _): self = .lease(head: try Self.head(event.data))
        case ("reset", _): self = .reset(head: try Self.head(event.data))
        case (let kind, let position?):
            self = .event(EventEnvelope(position: position, kind: kind, data: event.data))
        case (_, nil): throw ServerSentEvents.Invalid.badID("")
        }
    }

    private struct Head: Decodable { let head: UInt64 }

    private static func head(_ data: String) throws -> UInt64 {
        try JSONDecoder().decode(Head.self, from: Data(data.utf8)).head
    }
}

/// What each word of the feed does to the cache, and where to go on after a lost connection. Pure.
struct FeedPlace: Sendable {
    /// What the follower must do about a word.
    enum Outcome: Sendable {
        /// The origin vouched for the feed.
        case live(head: UInt64)
        /// The edge took a place without knowing what happened before it, and the origin vouched for it.
        case anew(head: UInt64)
        /// Applied, or known already; the fetches are to be run at once.
        case taken(rewarm: [FetchTicket])
        /// Something is missing: connect again.
        case gap(after: UInt64)
    }

    /// False until a position to go on from is known.
    private(set) var isKnown: Bool

    init(isKnown: Bool) { self.isKnown = isKnown }

    /// The value of `after` in the request for the feed.
    func start(_ core: CacheCore) -> String { isKnown ? "\(core.feed.applied)" : "latest" }

    mutating func take(
        _ word: FeedWord, _ core: inout CacheCore, at now: Moment, makeTable: (RepositoryList) -> RepositoryTable
    ) -> Outcome {
        switch word {
        case .lease(let head) where isKnown:
            core.heardLease(head: head, at: now)
            return .live(head: head)
        case .lease(let head), .reset(let head):
            core.reset(to: head, at: now)
            isKnown = true
            core.heardLease(head: head, at: now)
            return .anew(head: head)
        case .event(let envelope):
            let changes = FeedEffects.changes(for: envelope.event) { gone in
                guard let table = core.held(.repositories)?.payload as? RepositoryTable else { return nil }
                let rest = table.list.repositories.filter { $0.name != gone.description }
                return try? makeTable(RepositoryList(repositories: rest)).value()
            }
            let (step, rewarm) = core.arrived(envelope.position, changes, at: now)
            if case .resume(let after) = step { return .gap(after: after) }
            return .taken(rewarm: rewarm)
        }
    }
}
