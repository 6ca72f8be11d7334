import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A reverse proxy in the test's process that stands where an origin's public address points to.
///
/// Paths that were given an answer of their own get that; everything else goes to the backend and back.
package final class RegistryFront: Sendable {
    private struct State {
        var backend = ""
        var answers: [String: String] = [:]
    }

    private let state = Mutex(State())
    private let port: Int

    package var url: String { "http://127.0.0.1:\(port)" }

    private init() throws { port = try freePort() }

    /// Sends what comes to `url`, which has no path.
    package func pass(to url: String) { state.withLock { $0.backend = url } }

    /// Answers `path` with this JSON itself.
    package func answer(_ path: String, json: String) { state.withLock { $0.answers[path] = json } }

    /// Listens while `body` runs.
    package static func with<Answer>(_ body: (RegistryFront) async throws -> Answer) async throws -> Answer {
        let front = try RegistryFront()
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { client in
                client.eventLoop.makeCompletedFuture {
                    try client.pipeline.syncOperations.configureHTTPServerPipeline()
                    try client.pipeline.syncOperations.addHandler(FrontConnection(front))
                }
            }
            .bind(host: "127.0.0.1", port: front.port).get()
        do {
            let answer = try await body(front)
            try await channel.close()
            return answer
        } catch {
            try await channel.close()
            throw error
        }
    }

    fileprivate func answer(_ head: HTTPRequestHead, _ body: ByteBuffer) async -> HTTPAnswer {
        let (own, backend) = state.withLock { ($0.answers[head.uri], $0.backend) }
        if let own {
            return HTTPAnswer(
                status: 200, headers: [(name: "content-type", value: "application/json")],
                body: ByteBuffer(string: own))
        }
        let passed = head.headers.filter { ["authorization", "if-none-match"].contains($0.name.lowercased()) }
        do {
            return try await httpCall(
                head.method.rawValue, backend + head.uri, headers: passed.map { ($0.name, $0.value) },
                body: body.readableBytes > 0 ? body : nil)
        } catch {
            return HTTPAnswer(status: 502, headers: [], body: ByteBuffer(string: "\(error)"))
        }
    }
}

/// One client's connection, for one request.
private final class FrontConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let front: RegistryFront
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()

    init(_ front: RegistryFront) { self.front = front }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body(var part): body.writeBuffer(&part)
        case .end:
            guard let head else { return }
            let (asked, channel) = (body, context.channel)
            body = ByteBuffer()
            context.eventLoop.makeFutureWithTask { [front] in await front.answer(head, asked) }
                .whenSuccess { Self.send($0, on: channel) }
        }
    }

    private static func send(_ answer: HTTPAnswer, on channel: any Channel) {
        let hopByHop = ["connection", "transfer-encoding", "content-length", "keep-alive"]
        var headers = HTTPHeaders(answer.headers.filter { !hopByHop.contains($0.name.lowercased()) }.map { ($0, $1) })
        if answer.status != 304 { headers.add(name: "content-length", value: "\(answer.body.readableBytes)") }
        // One request a connection: behind one that asks for an upgrade (cargo's h2c) NIO's decoder reads no further.
        headers.add(name: "connection", value: "close")
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: answer.status), headers: headers)
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        channel.write(HTTPServerResponsePart.body(.byteBuffer(answer.body)), promise: nil)
        // The client may be gone; there is nobody to tell.
        channel.writeAndFlush(HTTPServerResponsePart.end(nil)).whenComplete { _ in channel.close(promise: nil) }
    }
}
