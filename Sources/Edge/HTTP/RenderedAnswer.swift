package import NIOCore

/// A finished answer: rendered once when its entry is made, sent as it is to any number of clients.
package final class RenderedAnswer: Sendable {
    package let status: Int
    /// Lower-case names; without `content-length`, `content-encoding`, `date`, which the server adds.
    package let headers: [(name: String, value: String)]
    package let body: ByteBuffer
    /// The same body compressed; nil if it must never be (crates) or does not pay.
    package let gzip: ByteBuffer?

    package init(status: Int, headers: [(name: String, value: String)], body: ByteBuffer, gzip: ByteBuffer? = nil) {
        self.status = status
        self.headers = headers
        self.body = body
        self.gzip = gzip
    }
}
