import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOTLS

/// Asks an edge once over a connection of its own, and notes when what happened.
struct Prober: Sendable {
    static let connectTimeMax: TimeAmount = .seconds(5)
    /// From the connection's start to the end of the answer.
    static let answerTimeMax: TimeAmount = .seconds(10)
    static let bodyBytesMax = 64 << 10

    let tls: NIOSSLContext

    init(tls: TLSConfiguration) throws { self.tls = try NIOSSLContext(configuration: tls) }

    /// - Parameter path: of `config.json`, below the edge's address.
    /// - Returns: a failure says why there was no answer.
    func ask(_ base: WebBase, path: String, token: String?) async -> Result<(ProbeTimes, ProbeAnswer), BenchFailure> {
        do {
            return .success(try await connect(base, path: path, token: token))
        } catch {
            return .failure(BenchFailure(Reason.text(error)))
        }
    }

    private func connect(_ base: WebBase, path: String, token: String?) async throws -> (ProbeTimes, ProbeAnswer) {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let answered = loop.makePromise(of: (ProbeTimes, ProbeAnswer).self)
        let begin = NIODeadline.now()
        let request = Self.request(base, path: path, token: token)
        do {
            let channel = try await ClientBootstrap(group: loop).connectTimeout(Self.connectTimeMax)
                .channelOption(.socketOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        if base.isEncrypted { try pipeline.addHandler(try tlsHandler(base.host)) }
                        try pipeline.addHTTPClientHandlers()
                        try pipeline.addHandler(
                            ProbeHandler(request, isEncrypted: base.isEncrypted, since: begin, answered))
                    }
                }
                .connect(host: base.host, port: base.port).get()
            let late = loop.scheduleTask(in: Self.answerTimeMax) {
                answered.fail(BenchFailure("no answer within \(Self.answerTimeMax.nanoseconds / 1_000_000_000) s"))
                channel.close(promise: nil)
            }
            defer { late.cancel() }
            return try await answered.futureResult.get()
        } catch {
            // Fulfilled already, unless there was no connection.
            answered.fail(error)
            throw error
        }
    }

    private func tlsHandler(_ host: String) throws -> NIOSSLClientHandler {
        // Certificates name hosts; an address has no name to ask for.
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        return try NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : host)
    }

    private static func request(_ base: WebBase, path: String, token: String?) -> HTTPRequestHead {
        var headers = HTTPHeaders([
            ("host", base.authority), ("user-agent", "longshore-bench"), ("accept", "*/*"), ("connection", "close"),
        ])
        if let token { headers.add(name: "authorization", value: token) }
        let whole = (base.path == "/" ? "" : base.path) + path
        return HTTPRequestHead(version: .http1_1, method: .GET, uri: whole, headers: headers)
    }
}

/// Sends the request as soon as it can, and gathers the answer.
private final class ProbeHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let request: HTTPRequestHead
    private let isEncrypted: Bool
    private let begin: NIODeadline
    private let answered: EventLoopPromise<(ProbeTimes, ProbeAnswer)>

    private var connected: NIODeadline?
    private var sent: NIODeadline?
    private var firstByte: NIODeadline?
    private var head: HTTPResponseHead?
    private var body = ByteBuffer()

    init(
        _ request: HTTPRequestHead, isEncrypted: Bool, since begin: NIODeadline,
        _ answered: EventLoopPromise<(ProbeTimes, ProbeAnswer)>
    ) {
        self.request = request
        self.isEncrypted = isEncrypted
        self.begin = begin
        self.answered = answered
    }

    func channelActive(context: ChannelHandlerContext) {
        connected = .now()
        if !isEncrypted { send(context) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent { send(context) }
        context.fireUserInboundEventTriggered(event)
    }

    private func send(_ context: ChannelHandlerContext) {
        sent = .now()
        context.write(wrapOutboundOut(.head(request)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            firstByte = .now()
            self.head = head
        case .body(var part):
            guard body.readableBytes + part.readableBytes <= Prober.bodyBytesMax else {
                return fail(BenchFailure("its answer is too large for a config.json"), context)
            }
            body.writeBuffer(&part)
        case .end:
            succeed()
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(error, context) }

    func channelInactive(context: ChannelHandlerContext) {
        answered.fail(BenchFailure("it closed the connection without an answer"))
    }

    private func fail(_ error: any Error, _ context: ChannelHandlerContext) {
        answered.fail(error)
        context.close(promise: nil)
    }

    private func succeed() {
        guard let connected, let sent, let firstByte, let head else { return }
        let times = ProbeTimes(
            connect: .nanoseconds((connected - begin).nanoseconds),
            tls: isEncrypted ? .nanoseconds((sent - connected).nanoseconds) : nil,
            firstByte: .nanoseconds((firstByte - sent).nanoseconds))
        let isStale = head.headers["x-cache"].contains("STALE") || head.headers.contains(name: "warning")
        answered.succeed(
            (times, ProbeAnswer(status: Int(head.status.code), isStale: isStale, body: String(buffer: body))))
    }
}
