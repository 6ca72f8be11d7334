/// What the origin's answer to a `ClosureQuestion` begins with: everything that follows, the roots first.
///
/// The answer, integers big-endian: 4 bytes, the length of the list; the list; then the bytes of each `file` in the
/// list's order, nothing between them. `longshore-position` is the snapshot of all of it.
///
/// | an item of the list                  | bytes                                                    |
/// |--------------------------------------|----------------------------------------------------------|
/// | name                                 | 1, its length, and the lower-case name                   |
/// | 0: there is no such crate            | 1                                                        |
/// | 1: as the edge holds it              | 1, generation 8, checksum 32                             |
/// | 2: a file that follows               | 1, generation 8, checksum 32, length of the file 4       |
/// | 3: a piece of a file's gzip member   | 1, generation 8, checksum 32, length of the file 4, the piece's number 1, pieces 1 |
///
/// Pieces stand only in the lists of parts (`ClosurePart`): a large file travels over several connections.
/// Source: docs/decisions/0007-closure-fill.md
package struct ClosureList: Hashable, Sendable {
    /// More than any origin sends: an edge stops reading there.
    package static let itemsMax = 4096
    /// The same for all files together.
    package static let fileBytesMax = 64 << 20
    /// No list is longer.
    package static let bytesMax = itemsMax * (2 + CrateName.bytesMax + 8 + 32 + 4 + 2)

    /// What the origin says of one name.
    package enum State: Hashable, Sendable {
        case absent
        case same(EntityTag)
        case file(EntityTag, bytes: Int)
        /// - bytes: of the whole file, expanded.
        case piece(EntityTag, bytes: Int, ClosurePiece)

        /// What of the file follows, expanded; roughly for a piece.
        fileprivate var fileBytes: Int {
            switch self {
            case .absent, .same: 0
            case .file(_, let bytes): bytes
            case .piece(_, let bytes, let piece): bytes / piece.count
            }
        }
    }

    /// One name of the closure.
    package struct Item: Hashable, Sendable {
        package let path: IndexPath
        package let state: State

        package init(_ path: IndexPath, _ state: State) {
            self.path = path
            self.state = state
        }
    }

    package let items: [Item]

    package init(_ items: [Item]) { self.items = items }

    /// Of all files that follow, expanded; roughly for pieces.
    package var fileBytes: Int { items.reduce(0) { $0 + $1.state.fileBytes } }

    /// Reads what stands behind the length.
    ///
    /// - Returns: nil for what an origin would not have written: a name twice, a broken item, something behind the last.
    package init?(parsing bytes: [UInt8]) {
        var cursor = WireCursor(bytes)
        var items: [Item] = []
        var names: Set<IndexPath> = []
        var fileBytes = 0
        while !cursor.isAtEnd {
            guard items.count < Self.itemsMax, let path = cursor.indexPath(), names.insert(path).inserted,
                let state = cursor.state()
            else { return nil }
            fileBytes += state.fileBytes
            items.append(Item(path, state))
        }
        guard fileBytes <= Self.fileBytesMax else { return nil }
        self.items = items
    }

    /// With the length in front.
    package var bytes: [UInt8] {
        var writer = WireWriter()
        for item in items {
            writer.write(item.path)
            switch item.state {
            case .absent:
                writer.write(UInt8(0))
            case .same(let tag):
                writer.write(UInt8(1))
                writer.write(tag)
            case .file(let tag, let bytes):
                writer.write(UInt8(2))
                writer.write(tag)
                writer.write(UInt32(bytes))
            case .piece(let tag, let bytes, let piece):
                writer.write(UInt8(3))
                writer.write(tag)
                writer.write(UInt32(bytes))
                writer.write(UInt8(piece.index))
                writer.write(UInt8(piece.count))
            }
        }
        var length = WireWriter()
        length.write(UInt32(writer.bytes.count))
        return length.bytes + writer.bytes
    }
}

extension WireCursor {
    fileprivate mutating func state() -> ClosureList.State? {
        switch integer(UInt8.self) {
        case 0: .absent
        case 1: tag().map(ClosureList.State.same)
        case 2:
            if let tag = tag(), let bytes = integer(UInt32.self) { .file(tag, bytes: Int(bytes)) } else { nil }
        case 3:
            if let tag = tag(), let bytes = integer(UInt32.self), let piece = piece() {
                .piece(tag, bytes: Int(bytes), piece)
            } else {
                nil
            }
        default: nil
        }
    }

    private mutating func piece() -> ClosurePiece? {
        guard let index = integer(UInt8.self), let count = integer(UInt8.self) else { return nil }
        return ClosurePiece(index: Int(index), count: Int(count))
    }
}
