package import Logging
package import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// An edge's HTTP server: HTTP/1.1, h2c and HTTP/2 over TLS in, rendered answers out.
///
/// `start` binds, `stop` lets running requests finish; both once, in this order. Knows nothing of what it serves.
package final class EdgeServer: Sendable {
    private struct State {
        var listeners: [any Channel] = []
        var loops: [ObjectIdentifier: NIOLoopBound<ServerLoop>] = [:]
        var phase = Phase.new
    }

    private enum Phase { case new, running, stopped }

    /// What one read takes: any head of cargo's, and a burst of its requests over HTTP/2. NIO's own choice follows the last
    /// reads down to 64 bytes, and then splits the first head that is longer.
    private static let readBytesMax = 4 << 10

    private let shared: ServerShared
    private let group: any EventLoopGroup
    private let ownsGroup: Bool
    private let state = Mutex(State())
    private let loopFigures: [ObjectIdentifier: LoopFigures]

    /// - Parameters:
    ///   - observer: told of every finished request.
    ///   - group: the event loops to run on; nil makes a group with `configuration.threads` of them.
    package init(
        configuration: EdgeServerConfiguration, handler: any EdgeHandler, logger: Logger,
        observer: (any EdgeRequestObserver)? = nil, group: (any EventLoopGroup)? = nil
    ) {
        shared = ServerShared(configuration: configuration, handler: handler, observer: observer, logger: logger)
        self.group = group ?? MultiThreadedEventLoopGroup(numberOfThreads: max(configuration.threads, 1))
        ownsGroup = group == nil
        var figures: [ObjectIdentifier: LoopFigures] = [:]
        for loop in self.group.makeIterator() { figures[ObjectIdentifier(loop)] = LoopFigures() }
        loopFigures = figures
    }

    /// Where the server listens, in the order of the configured listeners; empty before `start`.
    package var boundAddresses: [SocketAddress] { state.withLock { $0.listeners.compactMap(\.localAddress) } }

    /// The figures of this moment.
    package var figures: EdgeFigures {
        var sum = EdgeFigures()
        for figures in loopFigures.values { figures.add(to: &sum) }
        sum.connectionsOpen = shared.connectionsOpen.value
        sum.requestsOpen = shared.requestsOpen.value
        return sum
    }

    /// Binds every listener.
    ///
    /// - Throws: `EdgeServerError` naming the address or file that is in the way; nothing is bound then.
    package func start() async throws {
        let isNew = state.withLock { state in
            defer { if state.phase == .new { state.phase = .running } }
            return state.phase == .new
        }
        precondition(isNew, "a server starts once")
        do {
            let tls = try shared.configuration.listeners.map { try $0.tls.map(TLSFiles.context) }
            let loops = try await makeLoops()
            state.withLock { $0.loops = loops }
            for (listener, context) in zip(shared.configuration.listeners, tls) {
                let channel = try await bind(listener, context, loops)
                state.withLock { $0.listeners.append(channel) }
            }
        } catch {
            await stop(grace: .zero)
            throw error
        }
    }

    /// Stops accepting, lets running requests finish, and closes what is still open after `grace`.
    ///
    /// HTTP/2 clients get GOAWAY with NO_ERROR and the number of the last stream that will be answered; HTTP/1.1
    /// clients get `connection: close` with their last answer. Idle connections are closed at once. May be called again.
    package func stop(grace: Duration) async {
        let (listeners, loops, wasStopped) = state.withLock { state in
            defer { state.phase = .stopped }
            return (state.listeners, Array(state.loops.values), state.phase == .stopped)
        }
        if wasStopped { return }
        for listener in listeners {
            do { try await listener.close() } catch {
                shared.logger.warning("a listener did not close", metadata: ["error": "\(error)"])
            }
        }
        let time = TimeAmount(grace)
        await withTaskGroup { tasks in
            for loop in loops {
                tasks.addTask { await self.drain(loop, time) }
            }
        }
        guard ownsGroup else { return }
        do { try await group.shutdownGracefully() } catch {
            shared.logger.warning("the event loops did not shut down", metadata: ["error": "\(error)"])
        }
    }

    private func drain(_ loop: NIOLoopBound<ServerLoop>, _ time: TimeAmount) async {
        do {
            try await loop.eventLoop.flatSubmit { loop.value.drain(grace: time) }.get()
        } catch {
            shared.logger.warning("connections could not be drained", metadata: ["error": "\(error)"])
        }
    }

    private func makeLoops() async throws -> [ObjectIdentifier: NIOLoopBound<ServerLoop>] {
        var loops: [ObjectIdentifier: NIOLoopBound<ServerLoop>] = [:]
        for eventLoop in group.makeIterator() {
            let shared = shared
            let figures = loopFigures[ObjectIdentifier(eventLoop)] ?? LoopFigures()
            loops[ObjectIdentifier(eventLoop)] = try await eventLoop.submit {
                let loop = ServerLoop(shared: shared, eventLoop: eventLoop, figures: figures)
                return NIOLoopBound(loop, eventLoop: eventLoop)
            }.get()
        }
        return loops
    }

    private func bind(
        _ listener: EdgeServerConfiguration.Listener, _ tls: NIOSSLContext?,
        _ loops: [ObjectIdentifier: NIOLoopBound<ServerLoop>]
    ) async throws -> any Channel {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Int32(clamping: shared.configuration.backlog))
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.readBytesMax))
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 64 << 10, high: 256 << 10))
            .childChannelOption(.allowRemoteHalfClosure, value: tls == nil)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let loop = loops[ObjectIdentifier(channel.eventLoop)] else {
                        preconditionFailure("the group gave a loop that it had not listed")
                    }
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    let connection = Connection(loop: loop.value, isTLS: tls != nil)
                    try channel.pipeline.syncOperations.addHandler(connection)
                }
            }
        do {
            return try await bootstrap.bind(host: listener.host, port: listener.port).get()
        } catch {
            throw EdgeServerError.cannotListen(host: listener.host, port: listener.port, reason: "\(error)")
        }
    }
}

extension TimeAmount {
    fileprivate init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = .seconds(seconds) + .nanoseconds(attoseconds / 1_000_000_000)
    }
}
