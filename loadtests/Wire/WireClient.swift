import NIOCore
import NIOSSL
import Synchronization

/// The connections of one cargo process to one server: at most two, of at most 100 streams each.
///
/// Has to be closed, or its connections stay open. Source: docs/PROTOCOL.md, "Resolving".
final class WireClient: Sendable {
    /// How many connections and streams, and for how long one waits.
    struct Limits: Hashable, Sendable {
        var connectionsMax = 2
        var streamsMax = 100
        var connectTime: TimeAmount = .seconds(10)
        /// Of one request, from its sending to the end of its answer.
        var answerTime: TimeAmount = .seconds(30)
        /// How often a request that the server has not looked at is sent again on another connection, as libcurl does it.
        var retriesMax = 5
        var settings = HTTP2Settings.curl
    }

    private let loop: any EventLoop
    private let pool: NIOLoopBoundBox<WirePool?>
    private let makePool: @Sendable (@escaping () -> Void) -> WirePool
    private let opened = Count()

    private final class Count: Sendable {
        let value = Atomic<Int>(0)
    }

    /// - Parameter tls: needed if the target is encrypted; see `WireTarget.tls`.
    init(_ target: WireTarget, tls: NIOSSLContext?, on loop: any EventLoop, limits: Limits = Limits()) {
        precondition(!target.isEncrypted || tls != nil, "an encrypted target needs a TLS context")
        self.loop = loop
        pool = .makeEmptyBox(valueType: WirePool.self, eventLoop: loop)
        makePool = { WirePool(target, tls: tls, on: loop, limits: limits, opened: $0) }
    }

    /// Sends all requests at once, as cargo does with a round, and waits for every answer.
    ///
    /// - Parameter each: called on the event loop with each outcome, and the number of its request, when it is in.
    /// - Returns: the outcomes in the order of the requests.
    func burst(
        _ requests: [WireRequest], each: @escaping @Sendable (Int, WireOutcome) -> Void = { _, _ in }
    ) async -> [WireOutcome] {
        await withCheckedContinuation { continuation in
            loop.execute {
                self.poolOnLoop().burst(requests, each: each) { continuation.resume(returning: $0) }
            }
        }
    }

    /// Connections opened so far.
    var connectionsOpened: Int { opened.value.load(ordering: .relaxed) }

    /// Requests in flight fail; later ones too.
    func close() async {
        await withCheckedContinuation { continuation in
            loop.execute {
                self.poolOnLoop().close()
                continuation.resume()
            }
        }
    }

    private func poolOnLoop() -> WirePool {
        if let pool = pool.value { return pool }
        let made = makePool { [opened] in opened.value.add(1, ordering: .relaxed) }
        pool.value = made
        return made
    }
}
