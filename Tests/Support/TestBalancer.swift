import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// A TCP balancer in the test's process: each new connection goes to the first backend that takes it.
package final class TestBalancer: Sendable {
    private let group = MultiThreadedEventLoopGroup.singleton
    private let addresses = Mutex<[String]>([])
    private let port: Int

    package var url: String { "http://127.0.0.1:\(port)" }

    /// `http://127.0.0.1:PORT`, in the order of preference.
    package var backends: [String] {
        get { addresses.withLock { $0 } }
        set { addresses.withLock { $0 = newValue } }
    }

    package init() throws { port = try freePort() }

    /// Listens while `body` runs.
    package static func with<Answer>(_ body: (TestBalancer) async throws -> Answer) async throws -> Answer {
        let balancer = try TestBalancer()
        let channel = try await ServerBootstrap(group: balancer.group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { client in balancer.connect(client) }
            .bind(host: "127.0.0.1", port: balancer.port).get()
        do {
            let answer = try await body(balancer)
            try await channel.close()
            return answer
        } catch {
            try await channel.close()
            throw error
        }
    }

    private func connect(_ client: any Channel) -> EventLoopFuture<Void> {
        let ports = backends.compactMap { URL(string: $0)?.port }
        return firstTaking(ports[...], on: client.eventLoop).flatMap { backend in
            // Both are on one loop, and so the handlers may hold each other's channel.
            client.pipeline.addHandler(Passing(to: backend)).and(backend.pipeline.addHandler(Passing(to: client)))
                .flatMap { _ in
                    client.setOption(.autoRead, value: true).and(backend.setOption(.autoRead, value: true))
                }.map { _ in }
        }
    }

    private func firstTaking(_ ports: ArraySlice<Int>, on loop: any EventLoop) -> EventLoopFuture<any Channel> {
        guard let port = ports.first else { return loop.makeFailedFuture(NoBackend()) }
        return ClientBootstrap(group: loop).channelOption(.autoRead, value: false)
            .connect(host: "127.0.0.1", port: port)
            .flatMapError { _ in self.firstTaking(ports.dropFirst(), on: loop) }
    }
}

private struct NoBackend: Error {}

/// Passes bytes on to another channel, and the end of them.
private final class Passing: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private let other: any Channel

    init(to other: any Channel) { self.other = other }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        other.write(unwrapInboundIn(data), promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) { other.flush() }

    func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
