/// An answer whose body is a file on disk.
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
}
