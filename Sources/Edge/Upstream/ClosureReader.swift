import NIOCore
import Registry

/// Cuts the answer to a question for a closure into its list and its files, however the bytes come.
///
/// Strict: more than is announced, or less, is an error; so is a list that no origin would write. Holds one file at most.
/// Source: `ClosureList`, `ClosurePart`.
struct ClosureReader {
    enum Part {
        case list(ClosureList)
        /// Whole, and still to be compared with its tag.
        case file(IndexPath, EntityTag, ByteBuffer)
        /// A gzip member of so many bytes when it is expanded, or a piece of one; still to be compared with its tag.
        case packed(IndexPath, EntityTag, bytes: Int, ClosurePiece?, ByteBuffer)
    }

    private struct File {
        let path: IndexPath
        let tag: EntityTag
        let bytes: Int
        let piece: ClosurePiece?

        init?(_ item: ClosureList.Item) {
            path = item.path
            switch item.state {
            case .absent, .same: return nil
            case .file(let tag, let bytes): (self.tag, self.bytes, piece) = (tag, bytes, nil)
            case .piece(let tag, let bytes, let piece): (self.tag, self.bytes, self.piece) = (tag, bytes, piece)
            }
        }
    }

    struct Invalid: Error, CustomStringConvertible {
        let description: String
    }

    private enum State {
        case length
        case list(bytes: Int)
        case files
        case member(bytes: Int)
    }

    /// What gzip may add to bytes that it can't pack, and more.
    private static let overheadMax = 1024

    private let isPacked: Bool
    private var state = State.length
    private var pending = ByteBuffer()
    /// Files that were announced and did not come yet.
    private var files: ArraySlice<File> = []

    /// - Parameter isPacked: each file comes as its packed length and a gzip member.
    init(isPacked: Bool = false) { self.isPacked = isPacked }

    /// - Returns: what is complete now.
    mutating func read(_ chunk: ByteBuffer) throws(Invalid) -> [Part] {
        pending.writeImmutableBuffer(chunk)
        var parts: [Part] = []
        while let part = try next() { parts.append(part) }
        pending.discardReadBytes()
        return parts
    }

    /// - Throws: if something is missing.
    func finish() throws(Invalid) {
        guard case .files = state, files.isEmpty else { throw Invalid(description: "a closure without its end") }
    }

    private mutating func next() throws(Invalid) -> Part? {
        switch state {
        case .length:
            guard let bytes = pending.readInteger(as: UInt32.self) else { return nil }
            guard bytes <= ClosureList.bytesMax else {
                throw Invalid(description: "a closure whose list has \(bytes) bytes")
            }
            state = .list(bytes: Int(bytes))
            return try next()
        case .list(let bytes):
            guard let text = pending.readBytes(length: bytes) else { return nil }
            guard let list = ClosureList(parsing: text) else {
                throw Invalid(description: "a closure whose list can't be read")
            }
            files = list.items.compactMap(File.init)[...]
            guard isPacked || files.allSatisfy({ $0.piece == nil }) else {
                throw Invalid(description: "a piece of a file that is not packed")
            }
            state = .files
            return .list(list)
        case .files:
            guard let file = files.first else {
                guard pending.readableBytes == 0 else {
                    throw Invalid(description: "a closure with more than its list")
                }
                return nil
            }
            guard !isPacked else { return try member(of: file.bytes) }
            guard let bytes = pending.readBytes(length: file.bytes) else { return nil }
            files.removeFirst()
            return .file(file.path, file.tag, ByteBuffer(bytes: bytes))
        case .member(let bytes):
            guard let file = files.first, let member = pending.readBytes(length: bytes) else { return nil }
            files.removeFirst()
            state = .files
            return .packed(file.path, file.tag, bytes: file.bytes, file.piece, ByteBuffer(bytes: member))
        }
    }

    private mutating func member(of fileBytes: Int) throws(Invalid) -> Part? {
        guard let bytes = pending.readInteger(as: UInt32.self) else { return nil }
        guard bytes <= fileBytes + Self.overheadMax else {
            throw Invalid(description: "a file of \(fileBytes) bytes that is packed into \(bytes)")
        }
        state = .member(bytes: Int(bytes))
        return try next()
    }
}
