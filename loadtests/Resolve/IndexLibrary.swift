import CrateFile
import NIOCore
import Synchronization

/// Index files that were read before, by their text, so that each is parsed once in a run, whoever serves it.
final class IndexLibrary: Sendable {
    /// What tells texts apart within this process.
    struct ContentID: Hashable, Sendable {
        /// A file that is not there.
        static let absent = ContentID(bytes: -1, digest: 0)

        let bytes: Int
        let digest: Int
    }

    /// The largest file of the public registry has 2.3 MB.
    static let fileBytesMax = 64 << 20

    private let held = Mutex<[ContentID: IndexContents]>([.absent: .absent])

    func contents(_ id: ContentID) -> IndexContents {
        guard let contents = held.withLock({ $0[id] }) else { preconditionFailure("every id was made by `learn`") }
        return contents
    }

    /// - Parameter text: without compression.
    func learn(_ text: [UInt8]) -> ContentID {
        var hasher = Hasher()
        text.withUnsafeBytes { hasher.combine(bytes: $0) }
        let id = ContentID(bytes: text.count, digest: hasher.finalize())
        if held.withLock({ $0[id] != nil }) { return id }
        let contents = IndexContents(parsing: text)
        held.withLock { $0[id] = contents }
        return id
    }

    /// The text of an answer.
    ///
    /// - Returns: nil if it is not compressed as it says, or has more than `fileBytesMax`.
    static func text(of answer: WireAnswer) -> [UInt8]? {
        let body = Array(answer.body.readableBytesView)
        switch answer.field("content-encoding") {
        case nil, "identity": return body.count <= fileBytesMax ? body : nil
        case "gzip": return try? unpacked(body)
        default: return nil
        }
    }

    private static func unpacked(_ body: [UInt8]) throws -> [UInt8]? {
        let gunzip = try Gunzip(BytesSource(body), unpackedBytesMax: fileBytesMax)
        var text: [UInt8] = []
        text.reserveCapacity(body.count * 5)
        while true {
            let count = try withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 1) { buffer in
                let count = try gunzip.read(into: buffer)
                text.append(contentsOf: buffer[..<count])
                return count
            }
            if count == 0 { return text }
        }
    }
}
