import NIOCore

/// Reads the feed's server-sent events from bytes that may be cut anywhere, as cheaply as a thousand readers in one
/// process ask for.
///
/// Source: docs/EVENTS.md, "On the wire".
struct FeedLines: Sendable {
    struct Event: Hashable, Sendable {
        var position: UInt64?
        var kind = ""
        var data = ""
    }

    static let lineBytesMax = 64 << 10

    private var line: [UInt8] = []
    private var event = Event()

    /// - Returns: the events that are complete now.
    /// - Throws: `BenchFailure` for a line that no origin sends.
    mutating func read(_ chunk: ByteBuffer) throws(BenchFailure) -> [Event] {
        var events: [Event] = []
        var rest = chunk.readableBytesView
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            line.append(contentsOf: rest[..<end])
            rest = rest[(end + 1)...]
            if line.isEmpty {
                if !event.kind.isEmpty { events.append(event) }
                event = Event()
            } else {
                field(String(decoding: line, as: UTF8.self))
            }
            line.removeAll(keepingCapacity: true)
        }
        guard line.count + rest.count <= Self.lineBytesMax else {
            throw BenchFailure("the feed sends a line of more than \(Self.lineBytesMax) bytes")
        }
        line.append(contentsOf: rest)
        return events
    }

    private mutating func field(_ line: String) {
        if line.hasPrefix("id: ") {
            event.position = UInt64(line.dropFirst(4))
        } else if line.hasPrefix("event: ") {
            event.kind = String(line.dropFirst(7))
        } else if line.hasPrefix("data: ") {
            event.data = String(line.dropFirst(6))
        }
    }
}
