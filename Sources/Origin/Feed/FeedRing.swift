import Registry

/// The newest events of the feed in memory, and what each reader of them gets next. Pure.
///
/// All streams of a replica share one ring and keep only a position each, so a slow one costs no memory: when the
/// ring has moved past it, it is cut off and resumes from the table.
struct FeedRing: Sendable {
    /// One event as it stands in the stream: `id:`, `event:` and `data:` lines and the empty line.
    struct Frame: Hashable, Sendable {
        let position: UInt64
        let kind: String
        let text: String

        init(position: UInt64, kind: String, data: String) {
            self.position = position
            self.kind = kind
            text = "id: \(position)\nevent: \(kind)\ndata: \(data)\n\n"
        }
    }

    enum Answer: Hashable, Sendable {
        /// Follow directly on the asked position; never empty.
        case frames([Frame])
        /// There is nothing newer than the asked position.
        case upToDate
        /// The ring begins later: read the table.
        case tooOld
        /// Asked for a position that was never given out: of another database, or of one that was restored.
        case ahead
    }

    let framesMax: Int
    /// Contiguous; the last one's position is `head` unless empty. The first `dropped` are gone and cut off in one go.
    private var frames: [Frame] = []
    /// The newest position.
    private(set) var head: UInt64

    init(head: UInt64, framesMax: Int) {
        precondition(framesMax > 0, "a ring holds at least one event")
        self.head = head
        self.framesMax = framesMax
    }

    /// The oldest position that a reader may stand at and still be served from memory.
    var floor: UInt64 { head - UInt64(frames.count) }

    /// - Throws: `FeedDamage.gap` if the frames do not follow directly on the head.
    mutating func append(_ new: [Frame]) throws(FeedDamage) {
        for frame in new {
            guard frame.position == head + 1 else { throw .gap(after: head, next: frame.position) }
            frames.append(frame)
            head = frame.position
        }
        // Dropped by halves, so that a full ring does not move all its frames for each new one.
        if frames.count >= 2 * framesMax { frames.removeFirst(frames.count - framesMax) }
    }

    func next(after position: UInt64, framesMax: Int) -> Answer {
        if position == head { return .upToDate }
        if position > head { return .ahead }
        guard position >= floor else { return .tooOld }
        let first = Int(position - floor)
        return .frames(Array(frames[first..<min(frames.count, first + framesMax)]))
    }
}
