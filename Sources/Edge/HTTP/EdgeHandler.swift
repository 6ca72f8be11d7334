package import NIOCore

/// What the edge's program is to its HTTP server: one function from a request to an answer.
///
/// Called on the connection's event loop; must not block. Whatever needs waiting returns `.later`.
package protocol EdgeHandler: Sendable {
    /// - Parameter memo: whatever the handler wants to find again with the next request of the same connection; nil at first.
    func answer(_ request: EdgeRequest, on loop: any EventLoop, memo: inout EdgeMemo?) -> EdgeAnswer

    /// The answer to the commonest of requests if it is at hand, without an object made for the request.
    ///
    /// - Returns: nil if `answer` is to be asked, and always unless a handler has its own.
    func glance(_ glimpse: EdgeGlimpse) -> EdgeGlance?
}

extension EdgeHandler {
    /// Nothing, for those who are content to be asked.
    package func glance(_ glimpse: EdgeGlimpse) -> EdgeGlance? { nil }
}

/// What a handler remembers of a connection. Confined to the connection's event loop, and gone with it.
package typealias EdgeMemo = any AnyObject & Sendable

/// A request's head, in bytes as they came; requests have no body (one with a body is refused before it gets here).
package struct EdgeRequest: Sendable {
    /// `other` is anything but GET and HEAD; handlers answer 405.
    package enum Method: UInt8, Sendable { case get, head, other }

    /// Where a part of the head stands in the text.
    struct Place: Sendable {
        let start: UInt32
        let count: UInt32

        /// - Parameter range: within a head, whose limits are far below 4 GiB.
        init(_ range: Range<Int>) {
            start = UInt32(truncatingIfNeeded: range.lowerBound)
            count = UInt32(truncatingIfNeeded: range.count)
        }
    }

    package let method: Method
    /// True if the client accepts gzip. The server picks the body; handlers need it for logs only.
    package let acceptsGzip: Bool
    /// Unique in this process; for logs.
    package let id: UInt64
    /// Who asks, as the server's `clientField` says, else the socket; without that field it is the proxy, behind one.
    package let peer: EdgePeer
    /// All parts stand in here, so that a copy of a request counts one reference and not four.
    private let text: ByteBuffer
    private let pathPlace: Place?
    private let queryPlace: Place?
    private let authorizationPlace: Place?
    private let ifNoneMatchPlace: Place?

    init(
        method: Method, in text: ByteBuffer, path: Range<Int>?, query: Range<Int>?, authorization: Range<Int>?,
        ifNoneMatch: Range<Int>?, acceptsGzip: Bool, id: UInt64, peer: EdgePeer
    ) {
        self.method = method
        self.acceptsGzip = acceptsGzip
        self.id = id
        self.peer = peer
        self.text = text
        pathPlace = path.map(Place.init)
        queryPlace = query.map(Place.init)
        authorizationPlace = authorization.map(Place.init)
        ifNoneMatchPlace = ifNoneMatch.map(Place.init)
    }

    /// Begins with `/`; never decoded; without the query.
    package var path: ByteBuffer { pathPlace.map(slice) ?? Self.root }
    /// What follows `?`; nil without one.
    package var query: ByteBuffer? { queryPlace.map(slice) }
    /// The value of `authorization`, whatever its scheme.
    package var authorization: ByteBuffer? { authorizationPlace.map(slice) }
    /// The values of `if-none-match`, joined by `,`.
    package var ifNoneMatch: ByteBuffer? { ifNoneMatchPlace.map(slice) }
    /// Cheaper than to ask for the query.
    package var hasQuery: Bool { queryPlace != nil }

    private func slice(_ place: Place) -> ByteBuffer {
        // Places lie within the text that they were made for.
        text.getSlice(at: text.readerIndex + Int(place.start), length: Int(place.count)) ?? ByteBuffer()
    }

    private static let root = ByteBuffer(string: "/")
}

/// What a handler says to a request.
package struct EdgeAnswer: Sendable {
    /// How the answer's bytes come about.
    package enum Content: Sendable {
        /// Rendered once, sent many times.
        case rendered(RenderedAnswer)
        /// Bytes of an open file, sent without reading them into memory at once.
        case file(FileAnswer)
        /// Still being found out; must end within the server's `answerTime`, or the client gets a 503.
        case later(EventLoopFuture<EdgeAnswer>)
    }

    package let content: Content
    /// What the handler counts the request under; the observer gets it back. 0 unless set.
    package var label: UInt8
    /// Whom the observer is told of as the one who got the answer; empty for nobody.
    package var credit: String

    package init(_ content: Content, label: UInt8 = 0, credit: String = "") {
        self.content = content
        self.label = label
        self.credit = credit
    }

    /// An answer of each kind, on nobody's account.
    package static func rendered(_ answer: RenderedAnswer) -> EdgeAnswer { EdgeAnswer(.rendered(answer)) }
    package static func file(_ answer: FileAnswer) -> EdgeAnswer { EdgeAnswer(.file(answer)) }
    package static func later(_ answer: EventLoopFuture<EdgeAnswer>) -> EdgeAnswer { EdgeAnswer(.later(answer)) }
}
