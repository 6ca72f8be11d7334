import EdgeCache

/// How a question to the cache ended.
enum Finding: Sendable {
    /// Held and current.
    case hit(CachedValue)
    /// The origin said so just now.
    case miss(CachedValue)
    /// Held, and nobody can say whether it is current.
    case stale(CachedValue)
    /// Nothing that may be served, and the origin gave no usable answer: 503, with what the origin said of it.
    case unavailable(words: String?)

    /// What may be told to a client, and how the edge knows it; nil: 503.
    ///
    /// What the origin once said to be absent may have come into being since (I11).
    var word: (value: CachedValue, cache: CacheState)? {
        switch self {
        case .hit(let value): (value, .hit)
        case .miss(let value): (value, .miss)
        case .stale(let value): value.isAbsent ? nil : (value, .stale)
        case .unavailable: nil
        }
    }

    /// What the origin said when it had no answer; nil: nothing.
    var words: String? { if case .unavailable(let words) = self { words } else { nil } }
}
