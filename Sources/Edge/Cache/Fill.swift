package import Registry

/// One question for a closure on its way to the origin, and what happened meanwhile to names that it may bring.
///
/// What the answer announces becomes a `Fetch` each, which the fill feeds: who asks for it joins, and an event marks it,
/// as if it had been asked for alone. Before the list is there nobody knows which names it will hold, so the fill itself
/// notes the marks.
struct Fill: Sendable {
    /// So many single names are remembered; from then on any event counts for all.
    static let marksMax = 1024

    let id: UInt64
    let repository: RepositoryName
    /// What was applied when the question left, or a later event that concerns everything: no older answer is good (I4).
    var floor: UInt64
    /// Names that an event replaced before the list came.
    var marks: [CacheKey: UInt64] = [:]
    /// The feed began anew: the answer can't be placed in it.
    var isVoid = false
    /// Of the answer's snapshot, once its list is there.
    var position: UInt64?
    /// Fetches that wait for the fill.
    var fetches: Set<UInt64> = []

    mutating func mark(_ key: CacheKey, _ position: UInt64) {
        guard self.position == nil else { return }
        if marks.count >= Self.marksMax, marks[key] == nil {
            floor.raise(to: position)
        } else {
            marks[key, default: 0].raise(to: position)
        }
    }

    /// An answer about this name from an older snapshot is not good enough.
    func mark(of key: CacheKey) -> UInt64 { max(floor, marks[key] ?? 0) }
}

/// What the caller of the core must now ask the origin; it ends with `CacheCore.fillEnded`.
package struct FillTicket: Sendable {
    package let id: UInt64
    package let repository: RepositoryName
    package let roots: [CacheKey]
    /// What need not be sent: some of what is held, with its tag; nil for an absence.
    package let held: [(key: CacheKey, tag: EntityTag?)]
}

/// One line of the list with which the answer to a fill begins.
package struct FillItem: Sendable {
    /// What the origin says of the name.
    package enum State: Sendable {
        case absent
        /// The origin believes that the edge holds this.
        case same(EntityTag)
        /// Its bytes follow.
        case file(EntityTag)
    }

    package let key: CacheKey
    package let state: State

    package init(_ key: CacheKey, _ state: State) {
        self.key = key
        self.state = state
    }
}

/// The end of a fetch that waited for a fill; to be handed to all who joined it.
package struct FillEnd: Sendable {
    package let id: UInt64
    package let outcome: FetchOutcome
}

/// Why a fill brought nothing more.
package enum FillFailure: Sendable {
    /// No connection, no answer in time, or one that broke off.
    case unreachable
    /// The origin answered, and not with a closure.
    case refused
    /// The origin does not know such questions: none are asked for a while.
    case unknown
}

/// What became of the names that an answer announced.
package struct FillFigures: Sendable {
    /// Will come, and will be kept.
    package var awaited = 0
    package var absent = 0
    /// Held already in this very state, or asked for alone meanwhile: no-ops.
    package var held = 0
    /// A change overtook the answer.
    package var overtaken = 0
}
