import NIOCore
import NIOPosix
import Synchronization

@testable import LoadTest

/// A server of raw bytes in the test's process: a script says what to send when a client has sent something.
final class WireServer: Sendable {
    enum Reply: Sendable {
        /// Nothing yet; what came is kept, and shown again with what follows.
        case wait
        case send([UInt8])
        case sendAndClose([UInt8])

        static func text(_ text: String) -> Reply { .send(Array(text.utf8)) }
    }

    /// The connection's number from 0, and what it has sent since the last reply.
    typealias Script = @Sendable (Int, [UInt8]) -> Reply

    private let script: Script
    private let accepted = Mutex(0)

    private init(_ script: @escaping Script) { self.script = script }

    /// Connections taken so far.
    var connections: Int { accepted.withLock { $0 } }

    static func with(
        _ speech: WireTarget.Speech, _ script: @escaping Script,
        _ body: (WireServer, WireTarget) async throws -> Void
    ) async throws {
        let server = WireServer(script)
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let number = server.accepted.withLock { count in
                        count += 1
                        return count - 1
                    }
                    try channel.pipeline.syncOperations.addHandler(Scripted(number, server.script))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let target = WireTarget(
            host: "127.0.0.1", port: channel.localAddress?.port ?? 0, isEncrypted: false, speech: speech)
        do { try await body(server, target) } catch {
            try await channel.close()
            throw error
        }
        try await channel.close()
    }

    private final class Scripted: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let number: Int
        private let script: Script
        private var heard: [UInt8] = []

        init(_ number: Int, _ script: @escaping Script) {
            self.number = number
            self.script = script
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            heard += Array(buffer: Self.unwrapInboundIn(data))
            switch script(number, heard) {
            case .wait: break
            case .send(let bytes): send(bytes, context)
            case .sendAndClose(let bytes):
                send(bytes, context)
                context.close(promise: nil)
            }
        }

        private func send(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
            heard = []
            context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
        }
    }
}

/// Frames of HTTP/2 by hand. Source: RFC 9113.
enum Frames {
    static let settings: [UInt8] = frame(4, 0, 0, [])
    static func goAway(last: UInt8) -> [UInt8] { frame(7, 0, 0, [0, 0, 0, last, 0, 0, 0, 0]) }
    static func reset(_ stream: UInt8, code: UInt8) -> [UInt8] { frame(3, 0, stream, [0, 0, 0, code]) }
    /// `:status: 200` without a body.
    static func ok(_ stream: UInt8) -> [UInt8] { frame(1, 5, stream, [0x88]) }

    private static func frame(_ kind: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [0, 0, UInt8(payload.count), kind, flags, 0, 0, 0, stream] + payload
    }

    /// Numbers of the streams whose heads lie in what a client has sent, its preface included.
    static func heads(_ bytes: [UInt8]) -> [UInt8] {
        var (place, streams) = (bytes.starts(with: "PRI * HTTP/2.0".utf8) ? 24 : 0, [UInt8]())
        while place + 9 <= bytes.count {
            if bytes[place + 3] == 1 { streams.append(bytes[place + 8]) }
            place += 9 + Int(bytes[place]) << 16 + Int(bytes[place + 1]) << 8 + Int(bytes[place + 2])
        }
        return streams
    }
}
