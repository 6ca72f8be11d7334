import NIOCore

/// Reads server-sent events from bytes that may be cut anywhere.
///
/// Strict where the standard is lenient, because only an origin may speak here: `id`, `event`, `data` and comments,
/// nothing else; an id is a position. Bounded: a line and an event have at most `bytesMax` bytes.
/// Source: WHATWG HTML, "Server-sent events"; design, "The feed".
struct ServerSentEvents: Sendable {
    struct Event: Hashable, Sendable {
        var position: UInt64?
        var kind: String
        var data: String
    }

    enum Invalid: Error, Equatable, CustomStringConvertible {
        case tooLong
        case badID(String)
        case unknownField(String)
        case withoutKind

        var description: String {
            switch self {
            case .tooLong: "an event of the feed is longer than \(ServerSentEvents.bytesMax) bytes"
            case .badID(let text): "`\(text)` is no position in the feed"
            case .unknownField(let name): "the feed has a line that begins with `\(name)`"
            case .withoutKind: "an event of the feed has no kind"
            }
        }
    }

    static let bytesMax = 64 << 10

    private var line: [UInt8] = []
    private var position: UInt64?
    private var kind: String?
    private var data: String?

    /// - Returns: the events that are complete now.
    mutating func read(_ chunk: ByteBuffer) throws(Invalid) -> [Event] {
        var events: [Event] = []
        for byte in chunk.readableBytesView {
            guard byte == UInt8(ascii: "\n") else {
                guard line.count < Self.bytesMax else { throw .tooLong }
                line.append(byte)
                continue
            }
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            if line.isEmpty {
                if let event = try take() { events.append(event) }
            } else {
                try field(String(decoding: line, as: UTF8.self))
            }
            line.removeAll(keepingCapacity: true)
        }
        return events
    }

    private mutating func field(_ line: String) throws(Invalid) {
        guard !line.hasPrefix(":") else { return }
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts.count == 2 ? String(parts[1].hasPrefix(" ") ? parts[1].dropFirst() : parts[1]) : ""
        switch parts[0] {
        case "id":
            guard let number = UInt64(value) else { throw .badID(String(value.prefix(40))) }
            position = number
        case "event":
            kind = value
        case "data":
            let text = data.map { $0 + "\n" + value } ?? value
            guard text.utf8.count <= Self.bytesMax else { throw .tooLong }
            data = text
        default:
            throw .unknownField(String(parts[0].prefix(40)))
        }
    }

    private mutating func take() throws(Invalid) -> Event? {
        defer { (position, kind, data) = (nil, nil, nil) }
        guard position != nil || kind != nil || data != nil else { return nil }
        guard let kind else { throw .withoutKind }
        return Event(position: position, kind: kind, data: data ?? "")
    }
}
