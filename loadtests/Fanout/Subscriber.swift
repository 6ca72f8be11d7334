import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Registry

/// Opens feed streams to one replica, each over a connection of its own.
struct Subscribers: Sendable {
    /// Connections that are being opened at once.
    static let openingMax = 8
    /// So small a buffer that a subscriber which stops reading is soon felt by the origin.
    private static let stuckBufferBytes: SocketOptionValue = 4 << 10

    let base: WebBase
    let credential: String
    let tls: NIOSSLContext
    let receipts: Receipts
    let acknowledger: Acknowledger?

    /// Returns when the origin has answered; what follows arrives by itself.
    ///
    /// - Parameters:
    ///   - number: the row of its receipts; nil for a subscriber that never reads beyond the head.
    ///   - crate: events that name it are the changes that count.
    func open(_ number: Int?, crate: String) async throws -> any Channel {
        let request = head()
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let answered = loop.makePromise(of: Void.self)
        do {
            var bootstrap = ClientBootstrap(group: loop).connectTimeout(.seconds(10))
            if number == nil {
                bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: Self.stuckBufferBytes)
            }
            let channel = try await bootstrap.channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if base.isEncrypted {
                        try pipeline.addHandler(try NIOSSLClientHandler(context: tls, serverHostname: nameToAsk))
                    }
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandler(
                        SubscriberHandler(
                            request, number: number, crate: crate, receipts: receipts, acknowledger: acknowledger,
                            answered: answered))
                }
            }.connect(host: base.host, port: base.port).get()
            try await answered.futureResult.get()
            return channel
        } catch let failure as BenchFailure {
            throw failure
        } catch {
            answered.fail(error)
            throw BenchFailure(
                "a subscriber can't connect to \(base.url): \(Reason.text(error)); check the address, and the origin's "
                    + "--clients-max")
        }
    }

    private var nameToAsk: String? { (try? SocketAddress(ipAddress: base.host, port: 0)) == nil ? base.host : nil }

    private func head() -> HTTPRequestHead {
        let path = (base.path == "/" ? "" : base.path) + EdgeWire.feedPath + "?after=latest"
        let headers = HTTPHeaders([
            ("host", base.authority), ("authorization", "Bearer \(credential)"), ("accept", "text/event-stream"),
        ])
        return HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: headers)
    }
}

private final class SubscriberHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let request: HTTPRequestHead
    private let number: Int?
    private let mark: String
    private let receipts: Receipts
    private let acknowledger: Acknowledger?
    private let answered: EventLoopPromise<Void>

    private var lines = FeedLines()
    private var stream = ""
    private var isOpen = false

    init(
        _ request: HTTPRequestHead, number: Int?, crate: String, receipts: Receipts, acknowledger: Acknowledger?,
        answered: EventLoopPromise<Void>
    ) {
        self.request = request
        self.number = number
        mark = "\"crate\":\"\(crate)\""
        self.receipts = receipts
        self.acknowledger = acknowledger
        self.answered = answered
    }

    func channelActive(context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.head(request)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // The first thing, before any work of ours: what is measured is the arrival.
        let now = NIODeadline.now()
        switch unwrapInboundIn(data) {
        case .head(let head): begin(head, context)
        case .body(let chunk):
            do {
                for event in try lines.read(chunk) { take(event, at: now) }
            } catch {
                fail(error, context)
            }
        case .end: fail(BenchFailure("the origin ended a subscriber's feed; its log says why"), context)
        }
    }

    private func begin(_ head: HTTPResponseHead, _ context: ChannelHandlerContext) {
        guard head.status == .ok, let stream = head.headers.first(name: EdgeWire.streamHeader) else {
            let failure =
                "the feed answers \(head.status.code); check --credential-file (an edge's), or ask for fewer subscribers"
            return fail(BenchFailure(failure), context)
        }
        self.stream = stream
        answered.succeed()
        guard number == nil else { return }
        receipts.opened()
        context.channel.setOption(.autoRead, value: false).whenFailure { [receipts] error in
            receipts.failed(BenchFailure("a stuck subscriber goes on reading: \(error)"))
        }
    }

    private func take(_ event: FeedLines.Event, at now: NIODeadline) {
        guard let number else { return }
        if !isOpen {
            isOpen = true
            receipts.opened()
        }
        if event.kind == "index", event.data.contains(mark) { receipts.heard(number, at: now) }
        if let position = event.position { acknowledger?.acknowledge(stream, position) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        answered.fail(BenchFailure("the origin closed a subscriber's connection without an answer"))
        // A stuck one is cut off in the end: that is what the origin promises.
        if number != nil { receipts.failed(BenchFailure("the origin closed a subscriber's connection")) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(BenchFailure("a subscriber's connection broke: \(Reason.text(error))"), context)
    }

    private func fail(_ failure: BenchFailure, _ context: ChannelHandlerContext) {
        if number != nil || stream.isEmpty { receipts.failed(failure) }
        answered.fail(failure)
        context.close(promise: nil)
    }
}
