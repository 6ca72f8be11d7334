package import Hummingbird
import Logging
import NIOCore
import Registry

/// `GET /edge/v1/feed?after=P` or `after=latest`: the feed as server-sent events.
///
/// The header `longshore-stream: REPLICA.N` names the stream for acknowledgements. What is sent: `FeedStream`.
/// Source: docs/EVENTS.md.
package struct FeedRoute: Sendable {
    let tail: FeedTail
    let streams: EdgeStreams
    let edges: EdgeStore
    let board: ReplicaBoard
    /// All edges come at once when an origin comes back: so many ask the database at a time, the others wait in line.
    private let entrance = Gate(insideMax: 8, waitingMax: 10_000, of: "edges")

    package init(tail: FeedTail, streams: EdgeStreams, edges: EdgeStore, board: ReplicaBoard) {
        self.tail = tail
        self.streams = streams
        self.edges = edges
        self.board = board
    }

    /// Adds the slice's routes; each stands in `Route.all`.
    package func add(to router: some RouterMethods<OriginContext>) {
        router.get("/edge/v1/feed") { request, context in try await feed(request, context) }
    }

    func feed(_ request: Request, _ context: OriginContext) async throws -> Response {
        let edge = try context.principal.requireEdge()
        let start = try await entrance.pass {
            // From the table: this replica's memory may be some milliseconds behind, and `latest` means what is committed.
            let head = try await tail.store.head()
            let start = try Self.start(request.uri.queryParameters["after"].map(String.init), head: head)
            try await edges.saw(edge, publicURL: request.headers[.longshoreEdgeURL].flatMap(Self.publicURL))
            return start
        }
        let number = streams.reserveNumber()
        var headers: HTTPFields = [.contentType: "text/event-stream", .cacheControl: "no-store"]
        headers[.longshoreStream] = StreamName(replica: board.replica, number: number).description
        // nginx holds answers back unless it is told not to.
        headers[.accelBuffering] = "no"
        return Response(status: .ok, headers: headers, body: body(request, context, number, edge, start))
    }

    private func body(
        _ request: Request, _ context: OriginContext, _ number: UInt64, _ edge: EdgeHolder, _ start: UInt64
    ) -> ResponseBody {
        let channel = context.channel
        let logger = context.logger
        return ResponseBody { writer in
            streams.open(number, edge, at: start, channel: channel)
            defer {
                streams.close(number)
                logger.notice("edge \(edge.name) disconnected", metadata: ["edge": "\(edge.name)"])
            }
            logger.notice("edge \(edge.name) connected", metadata: ["edge": "\(edge.name)", "after": "\(start)"])
            try await board.introduce()
            try await request.body.consumeWithInboundCloseHandler { _ in
                var stream = FeedStream(
                    number: number, edge: edge, after: start, tail: tail, streams: streams, edges: edges,
                    logger: logger)
                try await stream.run(&writer)
                // Here and not below: when this closure returns, the connection is closed.
                try await writer.finish(nil)
            } onInboundClosed: {
                // Nobody waits for an edge that is gone.
                streams.close(number)
                channel.close(promise: nil)
            }
        }
    }

    static func start(_ after: String?, head: UInt64) throws(Refusal) -> UInt64 {
        if after == "latest" { return head }
        guard let after, let position = UInt64(after), position <= UInt64(Int64.max) else {
            throw .badRequest("say where to start: `after=latest`, or `after=` and the last position applied")
        }
        return position
    }

    /// - Returns: nil for what can't be an address that clients could be sent to.
    static func publicURL(_ text: String) -> String? {
        EdgeReport.isAddress(text) ? text : nil
    }
}

/// `POST /edge/v1/ack`: an edge has applied everything up to a position.
package struct AckRoute: Sendable {
    let board: ReplicaBoard

    package init(board: ReplicaBoard) { self.board = board }

    /// Adds the slice's routes; each stands in `Route.all`.
    package func add(to router: some RouterMethods<OriginContext>) {
        router.post("/edge/v1/ack") { request, context in try await acknowledge(request, context) }
    }

    func acknowledge(_ request: Request, _ context: OriginContext) async throws -> Response {
        let edge = try context.principal.requireEdge()
        let said = try await request.decode(as: Acknowledgement.self, context: context)
        guard let stream = StreamName(parsing: said.stream) else {
            throw Refusal.badRequest("`stream` is the value of the feed's header \(EdgeWire.streamHeader)")
        }
        try await board.acknowledged(stream, edgeID: edge.edgeID, position: said.position)
        return Response(status: .noContent)
    }
}

/// `REPLICA.N`: one feed stream among all of all replicas.
struct StreamName: Hashable, CustomStringConvertible {
    let replica: String
    let number: UInt64

    init(replica: String, number: UInt64) {
        self.replica = replica
        self.number = number
    }

    init?(parsing text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...32).contains(parts[0].utf8.count), let number = UInt64(parts[1]),
            parts[0].utf8.allSatisfy({ (48...57).contains($0) || (97...122).contains($0) })
        else { return nil }
        self.init(replica: String(parts[0]), number: number)
    }

    var description: String { "\(replica).\(number)" }
}
