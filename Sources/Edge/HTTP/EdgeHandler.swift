package import NIOCore

/// What the edge's program is to its HTTP server: one function from a request to an answer.
///
/// Called on the connection's event loop; must not block. Whatever needs waiting returns `.later`.
package protocol EdgeHandler: Sendable {
    func answer(_ request: EdgeRequest, on loop: any EventLoop) -> EdgeAnswer
}

/// A request's head, in bytes as they came; requests have no body (one with a body is refused before it gets here).
package struct EdgeRequest: Sendable {
    /// `other` is anything but GET and HEAD; handlers answer 405.
    package enum Method: Sendable { case get, head, other }

    package let method: Method
    /// Begins with `/`; never decoded; without the query.
    package let path: ByteBuffer
    /// What follows `?`; nil without one.
    package let query: ByteBuffer?
    /// The value of `authorization`, whatever its scheme.
    package let authorization: ByteBuffer?
    /// The values of `if-none-match`, joined by `,`.
    package let ifNoneMatch: ByteBuffer?
    /// True if the client accepts gzip. The server picks the body; handlers need it for logs only.
    package let acceptsGzip: Bool
    /// Unique in this process; for logs.
    package let id: UInt64

    package init(
        method: Method, path: ByteBuffer, query: ByteBuffer?, authorization: ByteBuffer?, ifNoneMatch: ByteBuffer?,
        acceptsGzip: Bool, id: UInt64
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.authorization = authorization
        self.ifNoneMatch = ifNoneMatch
        self.acceptsGzip = acceptsGzip
        self.id = id
    }
}

/// What a handler says to a request.
package enum EdgeAnswer: Sendable {
    /// Rendered once, sent many times.
    case rendered(RenderedAnswer)
    /// Bytes of an open file, sent without reading them into memory at once.
    case file(FileAnswer)
    /// The same answer, on the account of somebody whom the observer is told of. Never wraps another one or `later`.
    indirect case credited(EdgeAnswer, to: String)
    /// Still being found out; must end within the server's `answerTime`, or the client gets a 503.
    case later(EventLoopFuture<EdgeAnswer>)
}

extension EdgeAnswer {
    /// The answer itself, and on whose account it is; empty for nobody's.
    var parts: (answer: EdgeAnswer, credit: String) {
        if case .credited(let answer, let credit) = self { (answer, credit) } else { (self, "") }
    }
}
