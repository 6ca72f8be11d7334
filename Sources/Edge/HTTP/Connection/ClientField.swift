/// The field of a request in which a reverse proxy tells whose it is.
///
/// Looked for only if there is one, and never for a glance: nobody asks there who it was.
package struct ClientField: Sendable {
    /// In lower case.
    private let name: [UInt8]
    private let read: @Sendable (UnsafeRawBufferPointer) -> EdgePeer?

    /// - Parameters:
    ///   - name: a field's name, in any case.
    ///   - read: the client that a value names; nil if it names none: then it is who the connection says.
    package init(_ name: String, read: @escaping @Sendable (UnsafeRawBufferPointer) -> EdgePeer?) {
        self.name = Array(name.lowercased().utf8)
        self.read = read
    }

    /// - Parameter other: as it came, in any case.
    func isNamed(_ other: UnsafeRawBufferPointer) -> Bool {
        other.count == name.count && zip(other, name).allSatisfy { ($0 &- 65 < 26 ? $0 | 0x20 : $0) == $1 }
    }

    /// - Parameter value: of the last field of this name; those before it the client may have sent.
    func client(_ value: UnsafeRawBufferPointer) -> EdgePeer? { read(value) }

    /// The client that a head of HTTP/1.1 names, found by going through it once more.
    ///
    /// - Parameter head: one that `HTTP1Scanner` found to be complete; further text may stand behind it.
    func client(inHead head: UnsafeRawBufferPointer) -> EdgePeer? {
        var value: UnsafeRawBufferPointer?
        var start = 0
        while start < head.count, let lineFeed = head.place(of: 0x0A, in: start..<head.count) {
            let line = UnsafeRawBufferPointer(rebasing: head[start..<lineFeed])
            if line.count > name.count + 1, line[name.count] == UInt8(ascii: ":"),
                isNamed(UnsafeRawBufferPointer(rebasing: line[..<name.count]))
            {
                // Without the carriage return.
                value = UnsafeRawBufferPointer(rebasing: line[(name.count + 1)..<(line.count - 1)]).trimmed
            }
            start = lineFeed + 1
        }
        return value.flatMap(read)
    }
}
