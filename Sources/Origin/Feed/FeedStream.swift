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
    private static let leaseGap: Duration = .milliseconds(500)

    let number: UInt64
    let edge: EdgeHolder
    let tail: FeedTail
    let streams: EdgeStreams
    let edges: EdgeStore
    let logger: Logger

    private(set) var position: UInt64
    /// True once memory has served it: from then on falling behind means being slow.
    private var isLive = false
    private var lastPulse: UInt64 = 0
    private var lastLease: ContinuousClock.Instant?

    private enum Step { case again, wait, end }

    init(
        number: UInt64, edge: EdgeHolder, after position: UInt64, tail: FeedTail, streams: EdgeStreams,
        edges: EdgeStore, logger: Logger
    ) {
        self.number = number
        self.edge = edge
        self.position = position
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
        let page = try await tail.store.page(after: position, rowsMax: 1)
        if page.isGone {
            try await reset(to: page.head, &writer)
        } else {
            try await lease(head: page.head, &writer)
        }
    }

    private mutating func advance(_ writer: inout any ResponseBodyWriter) async throws -> Step {
        switch tail.next(after: position, framesMax: Self.framesAtOnce) {
        case .frames(let frames):
            isLive = true
            return try await send(frames, &writer)
        case .upToDate:
            isLive = true
            return .wait
        case .tooOld where isLive:
            logger.warning(
                "edge \(edge.name) reads too slowly and is cut off; it resumes", metadata: ["edge": "\(edge.name)"])
            return .end
        case .tooOld, .ahead:
            return try await sendFromTable(&writer)
        }
    }

    /// For a reader that memory can't serve: far behind, ahead of this replica, or from before a restored backup.
    private mutating func sendFromTable(_ writer: inout any ResponseBodyWriter) async throws -> Step {
        let page = try await tail.store.page(after: position, rowsMax: Self.framesAtOnce)
        if page.isGone {
            try await reset(to: page.head, &writer)
            return .again
        }
        return page.frames.isEmpty ? .wait : try await send(page.frames, &writer)
    }

    private mutating func send(_ frames: [FeedRing.Frame], _ writer: inout any ResponseBodyWriter) async throws -> Step
    {
        guard let last = frames.last else { return .wait }
        try await write(frames.map(\.text).joined(), upTo: last.position, &writer)
        guard frames.contains(where: { $0.kind == RegistryEvent.edges.kind }) else { return .again }
        return try await edges.isValid(edge) ? .again : .end
    }

    private mutating func leaseIfDue(_ writer: inout any ResponseBodyWriter) async throws {
        let pulse = tail.pulses
        guard pulse != lastPulse, let head = tail.head else { return }
        if let lastLease, ContinuousClock.now - lastLease < Self.leaseGap { return }
        lastPulse = pulse
        try await lease(head: max(head, position), &writer)
    }

    private mutating func lease(head: UInt64, _ writer: inout any ResponseBodyWriter) async throws {
        lastLease = .now
        let now = Date.now.formatted(.iso8601)
        try await write("event: lease\ndata: {\"head\":\(head),\"now\":\"\(now)\"}\n\n", upTo: position, &writer)
    }

    private mutating func reset(to head: UInt64, _ writer: inout any ResponseBodyWriter) async throws {
        streams.restart(number, at: head)
        try await write("event: reset\ndata: {\"head\":\(head)}\n\n", upTo: head, &writer)
    }

    private mutating func write(
        _ text: String, upTo last: UInt64, _ writer: inout any ResponseBodyWriter
    ) async throws {
        streams.startsWriting(number, upTo: last)
        try await writer.write(ByteBuffer(string: text))
        streams.endsWriting(number)
        position = last
    }
}
