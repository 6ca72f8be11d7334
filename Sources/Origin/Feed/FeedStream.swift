import FoundationEssentials
import Hummingbird
import Logging
import NIOCore
import Registry

/// One edge's feed: what it is sent, in order, from where it stands until it goes or is cut off.
///
/// | situation                                     | sent                                              |
/// |-----------------------------------------------|---------------------------------------------------|
/// | at the start                                  | a `lease`, or `reset` if the position is gone     |
/// | events after its position                     | them, gaplessly, from memory or from the table    |
/// | the tail has looked, half a second since last | a `lease` with the head                           |
/// | it fell behind what memory holds              | nothing: cut off, it resumes                      |
/// | its credential was revoked                    | nothing: cut off for good                         |
struct FeedStream {
    static let framesAtOnce = 256

    let number: UInt64
    let edge: EdgeHolder
    let tail: FeedTail
    let streams: EdgeStreams
    let edges: EdgeStore
    let logger: Logger

    private var standing: StreamStanding

    private enum Step { case again, wait, end }

    init(
        number: UInt64, edge: EdgeHolder, after position: UInt64, tail: FeedTail, streams: EdgeStreams,
        edges: EdgeStore, logger: Logger
    ) {
        self.number = number
        self.edge = edge
        standing = StreamStanding(after: position)
        self.tail = tail
        self.streams = streams
        self.edges = edges
        self.logger = logger
    }

    /// Sends until the edge goes, the replica stops or the edge is cut off.
    mutating func run(_ writer: inout any ResponseBodyWriter) async throws {
        let rings = tail.bell.listen()
        // Before anything else, so that the edge knows at once where it stands.
        try await begin(&writer)
        for await _ in rings {
            var step = Step.again
            while step == .again { step = try await advance(&writer) }
            if step == .end { return }
            try await leaseIfDue(&writer)
        }
    }

    private mutating func begin(_ writer: inout any ResponseBodyWriter) async throws {
        let page = try await tail.store.page(after: standing.position, rowsMax: 1)
        _ = try await act(standing.begin(page, at: .now), &writer)
    }

    private mutating func advance(_ writer: inout any ResponseBodyWriter) async throws -> Step {
        let next = standing.next(tail.next(after: standing.position, framesMax: Self.framesAtOnce))
        guard next == .readTable else { return try await act(next, &writer) }
        let page = try await tail.store.page(after: standing.position, rowsMax: Self.framesAtOnce)
        return try await act(standing.next(page), &writer)
    }

    private mutating func leaseIfDue(_ writer: inout any ResponseBodyWriter) async throws {
        guard let lease = standing.lease(tail.pulse, head: tail.head, at: .now) else { return }
        _ = try await act(lease, &writer)
    }

    private mutating func act(
        _ next: StreamStanding.Next, _ writer: inout any ResponseBodyWriter
    ) async throws -> Step {
        switch next {
        case .send(let frames): return try await send(frames, &writer)
        case .lease(let head):
            let now = Date.now.formatted(.iso8601)
            let text = "event: lease\ndata: {\"head\":\(head),\"now\":\"\(now)\"}\n\n"
            try await write(text, upTo: standing.position, &writer)
            return .again
        case .reset(let head):
            streams.restart(number, at: head)
            try await write("event: reset\ndata: {\"head\":\(head)}\n\n", upTo: head, &writer)
            return .again
        case .wait, .readTable: return .wait
        case .cutOff:
            logger.warning(
                "edge \(edge.name) reads too slowly and is cut off; it resumes", metadata: ["edge": "\(edge.name)"])
            return .end
        }
    }

    private mutating func send(_ frames: [FeedRing.Frame], _ writer: inout any ResponseBodyWriter) async throws -> Step
    {
        guard let last = frames.last else { return .wait }
        try await write(frames.map(\.text).joined(), upTo: last.position, &writer)
        guard frames.contains(where: { $0.kind == RegistryEvent.edges.kind }) else { return .again }
        return try await edges.isValid(edge) ? .again : .end
    }

    private mutating func write(
        _ text: String, upTo last: UInt64, _ writer: inout any ResponseBodyWriter
    ) async throws {
        streams.startsWriting(number, upTo: last)
        try await writer.write(ByteBuffer(string: text))
        streams.endsWriting(number)
        standing.wrote(upTo: last)
    }
}
