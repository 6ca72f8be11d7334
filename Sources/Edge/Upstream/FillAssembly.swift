import EdgeCache
import NIOCore
import Registry

/// Puts the lists and pieces of a question's parts together, and holds files back until the cache has the whole list. Pure.
struct FillAssembly<File> {
    /// A file that comes in pieces. Replicas that do not agree on it never make it whole: it is asked for alone then.
    struct Pieces: Hashable {
        let path: IndexPath
        let tag: EntityTag
        let count: Int
    }

    private var missing: Int
    private var items: [FillItem] = []
    private var names: Set<CacheKey> = []
    private var position = UInt64.max
    private var early: [File] = []
    private var pieces: [Pieces: [Int: ByteBuffer]] = [:]
    private var bytes = 0
    private var isAnnounced = false
    private(set) var hasBegun = false

    init(parts: Int) { missing = parts }

    /// Takes the list of one part. Parts that different replicas answered may name the same file; the first word counts, and
    /// what is newer than the oldest snapshot only counts for less than it could.
    ///
    /// - Parameter bytes: of the files in it.
    /// - Returns: the whole list, with the position of the oldest snapshot in it, when it was the last.
    /// - Throws: if all together are more than one answer may have (I9).
    mutating func list(
        _ part: [FillItem], bytes: Int, _ position: UInt64
    ) throws(UpstreamError) -> (items: [FillItem], position: UInt64)? {
        hasBegun = true
        self.bytes += bytes
        guard self.bytes <= ClosureList.fileBytesMax else {
            throw UpstreamError(
                fault: .protocolBroken, detail: "a closure of more than \(ClosureList.fileBytesMax) bytes")
        }
        items += part.filter { names.insert($0.key).inserted }
        self.position = min(self.position, position)
        missing -= 1
        return missing == 0 ? (items, self.position) : nil
    }

    /// Takes one piece.
    ///
    /// - Returns: the whole member, when it was the last.
    mutating func piece(
        _ file: Pieces, _ piece: ClosurePiece, _ part: ByteBuffer
    ) throws(UpstreamError) -> ByteBuffer? {
        guard pieces[file]?[piece.index] == nil else {
            throw UpstreamError(fault: .protocolBroken, detail: "a piece of a file twice")
        }
        pieces[file, default: [:]][piece.index] = part
        guard let come = pieces[file], come.count == file.count else { return nil }
        pieces[file] = nil
        var member = ByteBuffer()
        member.reserveCapacity(come.values.reduce(0) { $0 + $1.readableBytes })
        for index in 0..<file.count {
            if let part = come[index] { member.writeImmutableBuffer(part) }
        }
        return member
    }

    /// - Returns: the file, if it can be kept now.
    mutating func file(_ file: File) -> File? {
        if isAnnounced { return file }
        early.append(file)
        return nil
    }

    /// The cache has the list.
    ///
    /// - Returns: the files that waited for that.
    mutating func announced() -> [File] {
        isAnnounced = true
        defer { early = [] }
        return early
    }
}
