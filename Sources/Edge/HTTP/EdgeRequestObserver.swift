/// Told of every request once it is over: for access logs and metrics.
///
/// Called on the connection's event loop; must be quick and must not block.
package protocol EdgeRequestObserver: Sendable {
    /// - Parameters:
    ///   - status: as sent; 499 if the client went away before an answer began.
    ///   - bytes: of the body, as sent (compressed, if it was).
    ///   - cache: the answer's `x-cache`; empty without one.
    ///   - duration: from the request's head to the last byte handed to the socket.
    func finished(_ request: EdgeRequest, status: Int, bytes: Int, cache: String, duration: Duration)
}
