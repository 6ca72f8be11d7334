package import NIOCore

/// A finished answer: rendered once when its entry is made, sent as it is to any number of clients.
package final class RenderedAnswer: Sendable {
    package let status: Int
    /// Lower-case names; without `content-length`, `content-encoding`, `date`, which the server adds. It also adds
    /// `vary: accept-encoding` where `gzip` is given and the headers have no `vary` of their own.
    package let headers: [(name: String, value: String)]
    package let body: ByteBuffer
    /// The same body compressed; nil if it must never be (crates) or does not pay.
    package let gzip: ByteBuffer?

    /// Both representations, ready for either protocol.
    let identityForm: Rendition
    let gzipForm: Rendition?

    package init(status: Int, headers: [(name: String, value: String)], body: ByteBuffer, gzip: ByteBuffer? = nil) {
        self.status = status
        self.headers = headers
        self.body = body
        self.gzip = gzip
        var fields = headers
        if gzip != nil, !headers.contains(where: { $0.name == "vary" }) {
            fields.append(("vary", "accept-encoding"))
        }
        identityForm = Rendition(status: status, fields: fields, bodyBytes: body.readableBytes)
        gzipForm = gzip.map {
            Rendition(
                status: status, fields: fields + [("content-encoding", "gzip")], bodyBytes: $0.readableBytes)
        }
    }

    /// The representation for one client, and its body.
    func form(acceptsGzip: Bool) -> (Rendition, ByteBuffer) {
        if acceptsGzip, let gzipForm, let gzip { return (gzipForm, gzip) }
        return (identityForm, body)
    }
}
