/// Told of every request once it is over, for access logs and metrics, and of every whole answer just before it has left.
///
/// Called on the connection's event loop; must be quick and must not block.
package protocol EdgeRequestObserver: Sendable {
    /// - Parameters:
    ///   - status: as sent; 499 if the client went away before an answer began.
    ///   - bytes: of the body, as sent (compressed, if it was).
    ///   - cache: the answer's `x-cache`; empty without one.
    ///   - duration: from the request's head to the last byte handed to the socket.
    func finished(_ request: EdgeRequest, status: Int, bytes: Int, cache: String, duration: Duration)

    /// The last part of an answer is handed to the kernel next: whoever has an answer whole has been told of here, even
    /// if the process is killed in the same moment. Not called for answers that break off earlier.
    ///
    /// - Parameter credit: on whose account the handler put it; empty for nobody's.
    func leaves(_ request: EdgeRequest, status: Int, bytes: Int, cache: String, credit: String)
}

extension EdgeRequestObserver {
    /// Nothing, for those who need to know of the end only.
    package func leaves(_ request: EdgeRequest, status: Int, bytes: Int, cache: String, credit: String) {}
}
