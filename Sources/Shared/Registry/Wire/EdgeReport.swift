/// What an edge says of itself every few seconds, and at once when it becomes fresh or blind.
///
/// Figures, not rights: nothing is granted because of them. The origin believes an edge's word about itself only.
package struct EdgeReport: Codable, Hashable, Sendable {
    /// Where this edge itself is reached, without a final slash.
    package var url: String
    /// Stands in its `config.json`; may be one name for all edges.
    package var publicURL: String
    /// The program's version.
    package var version: String
    /// False while it is blind: cut off, or behind the last head that it heard.
    package var isFresh: Bool
    /// The last feed position that it has applied.
    package var applied: UInt64
    /// Index files, downloads and tokens that it holds in memory, and their bytes.
    package var entries: Int
    package var memoryBytes: Int
    /// Crate files on its disk, and their bytes.
    package var blobs: Int
    package var diskBytes: Int
    /// When the program started; RFC 3339 in UTC.
    package var started: String

    package init(
        url: String, publicURL: String, version: String, isFresh: Bool, applied: UInt64, entries: Int,
        memoryBytes: Int, blobs: Int, diskBytes: Int, started: String
    ) {
        self.url = url
        self.publicURL = publicURL
        self.version = version
        self.isFresh = isFresh
        self.applied = applied
        self.entries = entries
        self.memoryBytes = memoryBytes
        self.blobs = blobs
        self.diskBytes = diskBytes
        self.started = started
    }

    private enum CodingKeys: String, CodingKey {
        case url, version, applied, entries, blobs, started
        case publicURL = "public_url"
        case isFresh = "fresh"
        case memoryBytes = "memory_bytes"
        case diskBytes = "disk_bytes"
    }

    package static let urlBytesMax = 2048
    package static let wordBytesMax = 64

    /// What is wrong with it, as a sentence; nil for a report that can be kept.
    package var problem: String? {
        for text in [url, publicURL] where !Self.isAddress(text) {
            return "`\(text.prefix(80))` is no address that clients could be sent to"
        }
        for text in [version, started] where !Self.isWord(text) {
            return "`version` and `started` have at most \(Self.wordBytesMax) bytes of printable ASCII"
        }
        guard applied <= UInt64(Int64.max), [entries, memoryBytes, blobs, diskBytes].allSatisfy({ $0 >= 0 }) else {
            return "a figure of the report is out of range"
        }
        return nil
    }

    /// Neither what a terminal would obey nor U+0000, which the database's JSON refuses.
    private static func isWord(_ text: String) -> Bool {
        text.utf8.count <= wordBytesMax && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }

    /// An absolute `http` or `https` address of bounded length and printable ASCII.
    package static func isAddress(_ text: String) -> Bool {
        text.utf8.count <= urlBytesMax && (text.hasPrefix("http://") || text.hasPrefix("https://"))
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}
