/// An answer whose body is a file on disk.
///
/// The file must be there and have exactly `bytes` bytes when its turn comes, or the client gets 503 instead; if it
/// fails later, the stream or connection is broken off: a client never takes a short body for a whole one.
package struct FileAnswer: Sendable {
    package let status: Int
    /// Lower-case names; without `content-length` and `date`, which the server adds.
    package let headers: [(name: String, value: String)]
    package let path: String
    package let bytes: Int

    package init(status: Int, headers: [(name: String, value: String)], path: String, bytes: Int) {
        self.status = status
        self.headers = headers
        self.path = path
        self.bytes = bytes
    }

    var form: Rendition { Rendition(status: status, fields: headers, bodyBytes: bytes) }
}
