package import NIOCore
package import Registry

/// What the origin said of one key; the core stores it and never looks inside.
///
/// A class, because every hit hands one out: one count instead of one for each part.
package final class CachedValue: Sendable {
    /// What the edge made of the answer, such as rendered responses. Nil: the origin says that there is no such thing.
    package let payload: (any AnyObject & Sendable)?
    /// What the catalogue saves, enough to make the payload again.
    package let body: ByteBuffer
    /// Of index files; other values have none.
    package let tag: EntityTag?
    package let group: CacheGroup?
    /// What the value costs in memory.
    package let bytes: Int

    package init(
        payload: (any AnyObject & Sendable)?, body: ByteBuffer = ByteBuffer(), tag: EntityTag? = nil,
        group: CacheGroup? = nil, bytes: Int? = nil
    ) {
        self.payload = payload
        self.body = body
        self.tag = tag
        self.group = group
        self.bytes = bytes ?? body.readableBytes
    }

    /// The origin's word that there is no such thing.
    package static func absent(group: CacheGroup? = nil) -> CachedValue { CachedValue(payload: nil, group: group) }

    package var isAbsent: Bool { payload == nil }
    /// Zero without a tag: every witness is newer.
    package var generation: UInt64 { tag?.generation ?? 0 }
}

/// What an edge may do with what it holds while it can't ask the origin.
package enum OfflineRule: Hashable, Sendable {
    case serveStale(atMost: Duration)
    case refuse
}

/// One question to the cache.
package struct CacheQuestion: Sendable {
    package let key: CacheKey
    package let kind: CacheKey.Kind
    package let group: CacheGroup?
    /// The highest generation that the client has shown; 0 without one.
    package let witness: UInt64
    package let offline: OfflineRule

    package init(
        _ key: CacheKey, _ kind: CacheKey.Kind, group: CacheGroup? = nil, witness: UInt64 = 0,
        offline: OfflineRule = .refuse
    ) {
        self.key = key
        self.kind = kind
        self.group = group
        self.witness = witness
        self.offline = offline
    }
}
