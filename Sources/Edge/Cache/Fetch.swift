package import Registry

/// One question on its way to the origin, and what happened to its key meanwhile.
struct Fetch: Sendable {
    let id: UInt64
    let question: CacheQuestion
    let isRewarm: Bool
    /// An answer from an older snapshot is not good enough (I4).
    var mark: UInt64
    /// The highest generation that a client has shown since the question was first asked.
    var witness: UInt64
    /// The witness when the current attempt left: an answer to it may be older only because the client lied.
    var witnessSent: UInt64
    var attempts = 1
    /// The feed began anew: no answer to the current attempt can be placed in it.
    var mustRepeat = false
    /// When it first got no answer.
    var lostAt: Moment?
    var known: CachedValue?
    /// The fill that is to bring the answer.
    var fill: UInt64?
    /// Waits to leave with the next fill; one that brings it before is as good.
    var isGathering = false
    /// What a fill has announced of it.
    var announced: EntityTag?
    /// False while only a fill wants it.
    var isAwaited = true

    var ticket: FetchTicket { FetchTicket(id: id, key: question.key, kind: question.kind, known: known) }
}

/// What the caller of the core must now ask the origin; it ends with `CacheCore.finished`.
package struct FetchTicket: Sendable {
    package let id: UInt64
    package let key: CacheKey
    package let kind: CacheKey.Kind
    /// What is held: if the origin still says the same, `FetchAnswer.same` saves the body.
    package let known: CachedValue?
}

/// How a fetch ended. Positions are those of the snapshot that the origin read (`longshore-position`).
package enum FetchAnswer: Sendable {
    /// The origin's word: content, or an absent value.
    case value(CachedValue, position: UInt64)
    /// What `FetchTicket.known` holds is still current.
    case same(position: UInt64)
    /// No usable answer; says nothing of the key. `words`: what the origin wants clients to read instead.
    case failed(isUnreachable: Bool, words: String? = nil)
}

/// What follows from the end of a fetch.
package enum FetchOutcome: Sendable {
    /// A change overtook the answer: ask again; those who wait go on waiting.
    case again(FetchTicket)
    /// The answer for all who wait.
    case value(CachedValue)
    /// For each who waits, `CacheCore.fallback` says what is left.
    case failed
}

/// What to do about a question.
package enum CacheVerdict: Sendable {
    case serve(CachedValue)
    /// The edge can't know whether this is current, and the origin can't be asked.
    case serveStale(CachedValue)
    /// Nobody is asking the origin yet: do it, then give the outcome to all who joined.
    case start(FetchTicket)
    /// As `start`, and nothing is known of the name: better asked with its closure, together with others that come at
    /// the same moment (`CacheCore.beginFill`).
    case gather(FetchTicket)
    case join(UInt64)
    case refuse
}

/// What a feed event means for entries; `FeedEffects` makes it from events.
package enum CacheChange: Sendable {
    case nothing
    /// The content behind this key was replaced.
    case drop(CacheKey, CacheKey.Kind)
    case dropGroup(CacheGroup)
    /// `kept` is what certainly survives; the rest must be asked for.
    case replace(CacheKey, CacheKey.Kind, kept: CachedValue?)
    /// Nothing held of this repository can be trusted without asking.
    case distrust(RepositoryName)
    case distrustEverything
    /// URLs that were signed for this token before now end.
    case endSubject(String)
}
