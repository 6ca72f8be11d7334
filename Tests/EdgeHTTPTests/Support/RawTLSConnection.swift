import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A TLS connection that sends exactly the given bytes; whatever certificate the server has.
final class RawTLSConnection: RawClient {
    private let channel: any Channel
    private let chunks: AsyncStream<[UInt8]>
    private let bytes = Mutex<[UInt8]>([])

    var received: [UInt8] { bytes.withLock { $0 } }

    init(port: Int, protocol name: String) async throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        configuration.applicationProtocols = [name]
        let context = try NIOSSLContext(configuration: configuration)
        let (chunks, source) = AsyncStream<[UInt8]>.makeStream()
        self.chunks = chunks
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let operations = channel.pipeline.syncOperations
                    try operations.addHandler(NIOSSLClientHandler(context: context, serverHostname: nil))
                    // Counts while nobody asks for anything, too: longer than it takes to open thousands of connections beside it.
                    try operations.addHandler(IdleStateHandler(readTimeout: .minutes(1)))
                    try operations.addHandler(Gatherer(source: source))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
    }

    deinit { channel.close(promise: nil) }

    func send(_ bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    func receive() async throws -> Bool {
        // Nobody else reads the stream, so a new iterator goes on where the last one stopped.
        var iterator = chunks.makeAsyncIterator()
        guard let chunk = await iterator.next() else { return false }
        bytes.withLock { $0 += chunk }
        return true
    }

    private final class Gatherer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let source: AsyncStream<[UInt8]>.Continuation

        init(source: AsyncStream<[UInt8]>.Continuation) { self.source = source }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            source.yield(Array(unwrapInboundIn(data).readableBytesView))
        }

        func channelInactive(context: ChannelHandlerContext) { source.finish() }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
        }

        // The server may close without a word: that is what attackers get.
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
