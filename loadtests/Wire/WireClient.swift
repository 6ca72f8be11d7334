import NIOCore
import NIOSSL

/// The connections of one cargo process to one server: at most two, of at most 100 streams each.
///
/// Source: docs/PROTOCOL.md, 1.13.
final class WireClient: Sendable {
    /// How many connections and streams, and for how long one waits.
    struct Limits: Hashable, Sendable {
        var connectionsMax = 2
        var streamsMax = 100
        var connectTime: TimeAmount = .seconds(10)
        /// Of one request, from its sending to the end of its answer.
        var answerTime: TimeAmount = .seconds(30)
    }

    /// - Parameter tls: needed if the target is encrypted.
    init(_ target: WireTarget, tls: NIOSSLContext?, on loop: any EventLoop, limits: Limits = Limits()) {
        preconditionFailure("comes with the wire")
    }

    /// Sends all requests at once, as cargo does with a round, and waits for every answer.
    ///
    /// - Returns: the outcomes in the order of the requests.
    func burst(_ requests: [WireRequest]) async -> [WireOutcome] { preconditionFailure("comes with the wire") }

    /// Connections opened so far.
    var connectionsOpened: Int { preconditionFailure("comes with the wire") }

    func close() async { preconditionFailure("comes with the wire") }
}
