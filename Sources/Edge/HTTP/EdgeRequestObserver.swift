package import NIOCore

/// Told of every request once it is over, for access logs and metrics, and of every whole answer just before it has left.
///
/// Called on the connection's event loop; must be quick and must not block.
package protocol EdgeRequestObserver: Sendable {
    /// - Parameter duration: from the request's head to the last byte handed to the socket.
    func finished(_ request: EdgeRequest, _ outcome: EdgeOutcome, duration: TimeAmount)

    /// The last part of an answer is handed to the kernel next: whoever has an answer whole has been told of here, even
    /// if the process is killed in the same moment. Not called for answers that break off earlier.
    func leaves(_ request: EdgeRequest, _ outcome: EdgeOutcome)

    /// False for observers that want every request as one; then no handler is asked for a glance.
    var takesGlances: Bool { get }

    /// In place of both calls above, at the time of `leaves`: a glimpse was answered at once.
    func leaves(_ glimpse: EdgeGlimpse, _ outcome: EdgeOutcome)
}

/// What became of a request.
package struct EdgeOutcome: Sendable {
    /// As sent; 499 if the client went away before an answer began.
    package var status = 499
    /// Of the body, as sent (compressed, if it was).
    package var bytes = 0
    /// The answer's `x-cache`; empty without one.
    package var cache = ""
    /// As the handler's answer says; 0 if it was not asked.
    package var label: UInt8 = 0
    /// On whose account the handler put it; empty for nobody's.
    package var credit = ""
}

extension EdgeRequestObserver {
    /// Nothing, for those who need to know of the end only.
    package func leaves(_ request: EdgeRequest, _ outcome: EdgeOutcome) {}

    /// Every request is wanted as one.
    package var takesGlances: Bool { false }
    /// Nothing, for those who take none.
    package func leaves(_ glimpse: EdgeGlimpse, _ outcome: EdgeOutcome) {}
}
