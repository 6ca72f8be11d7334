import NIOCore

/// A request's head as an HTTP/1.1 connection needs it: places in the bytes that came.
struct HTTP1Head {
    var method: EdgeRequest.Method
    /// The head, and behind it the further values of `if-none-match`, if there are any.
    var text: ByteBuffer
    /// nil for the root.
    var path: Range<Int>?
    var query: Range<Int>?
    var authorization: Range<Int>?
    var ifNoneMatch: Range<Int>?
    var acceptsGzip: Bool
    /// False after HTTP/1.0 and `connection: close`.
    var keepsAlive: Bool
    /// The value of `http2-settings` if the client asks for `Upgrade: h2c` in the one right way.
    var upgradeSettings: ByteBuffer?

    func request(id: UInt64, from peer: EdgePeer) -> EdgeRequest {
        EdgeRequest(
            method: method, in: text, path: path, query: query, authorization: authorization, ifNoneMatch: ifNoneMatch,
            acceptsGzip: acceptsGzip, id: id, peer: peer)
    }
}
