import Foundation
package import NIOCore
import NIOPosix
import Synchronization

/// A TCP balancer in the test's process: each new connection goes to the first backend that takes it.
package final class TestBalancer: Sendable {
    private let group = MultiThreadedEventLoopGroup.singleton
    private let addresses = Mutex<[String]>([])
    let port: Int
    /// What clients have sent first on each connection, as far as it is short.
    private let openings = Mutex<[String]>([])
    /// How long a byte is under way to the other side.
    private let delay: TimeAmount

    package var url: String { "http://127.0.0.1:\(port)" }

    /// `http://ADDRESS:PORT`, in the order of preference.
    package var backends: [String] {
        get { addresses.withLock { $0 } }
        set { addresses.withLock { $0 = newValue } }
    }

    /// The first bytes that each client sent: over plain HTTP that is the first request.
    package var heard: [String] { openings.withLock { $0 } }

    package init(delay: TimeAmount = .zero) throws {
        port = try freePort()
        self.delay = delay
    }

    /// Listens while `body` runs.
    ///
    /// - Parameters:
    ///   - host: where; `0.0.0.0` for edges in namespaces.
    ///   - delay: in each direction; a connection takes two of them before its first byte is taken.
    package static func with<Answer>(
        host: String = "127.0.0.1", delay: TimeAmount = .zero, _ body: (TestBalancer) async throws -> Answer
    ) async throws -> Answer {
        let balancer = try TestBalancer(delay: delay)
        let channel = try await ServerBootstrap(group: balancer.group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { client in balancer.connect(client) }
            .bind(host: host, port: balancer.port).get()
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
        let places = backends.compactMap(URL.init(string:))
        let handshake = client.eventLoop.scheduleTask(in: .nanoseconds(2 * delay.nanoseconds)) {}
        return handshake.futureResult.flatMap { self.firstTaking(places[...], on: client.eventLoop) }.flatMap {
            backend in
            // Both are on one loop, and so the handlers may hold each other's channel.
            let toBackend = Passing(to: backend, after: self.delay) { text in
                self.openings.withLock { $0.append(text) }
            }
            return client.pipeline.addHandler(toBackend)
                .and(backend.pipeline.addHandler(Passing(to: client, after: self.delay)))
                .flatMap { _ in
                    client.setOption(.autoRead, value: true).and(backend.setOption(.autoRead, value: true))
                }.map { _ in }
        }
    }

    private func firstTaking(_ places: ArraySlice<URL>, on loop: any EventLoop) -> EventLoopFuture<any Channel> {
        guard let place = places.first, let host = place.host, let port = place.port else {
            return loop.makeFailedFuture(NoBackend())
        }
        return ClientBootstrap(group: loop).channelOption(.autoRead, value: false)
            .connect(host: host, port: port)
            .flatMapError { _ in self.firstTaking(places.dropFirst(), on: loop) }
    }
}

private struct NoBackend: Error {}

/// Passes bytes on to another channel, and the end of them.
private final class Passing: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private let other: any Channel
    private let delay: TimeAmount
    private let opened: @Sendable (String) -> Void
    private let isOpen = Mutex(false)
    /// Bytes under way, in order; nil is their end. Only touched on the one loop of both channels.
    private let underWay = Mutex<[ByteBuffer?]>([])

    init(to other: any Channel, after delay: TimeAmount, opened: @escaping @Sendable (String) -> Void = { _ in }) {
        self.other = other
        self.delay = delay
        self.opened = opened
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        let isFirst = isOpen.withLock { isOpen in
            defer { isOpen = true }
            return !isOpen
        }
        if isFirst { opened(String(decoding: bytes.readableBytesView.prefix(16 << 10), as: UTF8.self)) }
        pass(bytes)
    }

    func channelInactive(context: ChannelHandlerContext) { pass(nil) }

    private func pass(_ bytes: ByteBuffer?) {
        underWay.withLock { $0.append(bytes) }
        guard delay > .zero else { return arrive() }
        other.eventLoop.scheduleTask(in: delay) { self.arrive() }
    }

    private func arrive() {
        switch underWay.withLock({ $0.removeFirst() }) {
        case let bytes?: other.writeAndFlush(bytes, promise: nil)
        case nil: other.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
