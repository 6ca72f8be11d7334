import NIOCore

/// A request's head as an HTTP/1.1 connection needs it.
struct HTTP1Head {
    var method: EdgeRequest.Method
    var path: ByteBuffer
    var query: ByteBuffer?
    var authorization: ByteBuffer?
    var ifNoneMatch: ByteBuffer?
    var acceptsGzip: Bool
    /// False after HTTP/1.0 and `connection: close`.
    var keepsAlive: Bool
    /// The value of `http2-settings` if the client asks for `Upgrade: h2c` in the one right way.
    var upgradeSettings: ByteBuffer?

    func request(id: UInt64) -> EdgeRequest {
        EdgeRequest(
            method: method, path: path, query: query, authorization: authorization, ifNoneMatch: ifNoneMatch,
            acceptsGzip: acceptsGzip, id: id)
    }
}
