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
///
/// Source: docs/decisions/0007-closure-fill.md
package struct ClosureList: Hashable, Sendable {
    /// More than any origin sends: an edge stops reading there.
    package static let itemsMax = 4096
    /// The same for all files together.
    package static let fileBytesMax = 64 << 20
    /// No list is longer.
    package static let bytesMax = itemsMax * (2 + CrateName.bytesMax + 8 + 32 + 4)

    /// What the origin says of one name.
    package enum State: Hashable, Sendable {
        case absent
        case same(EntityTag)
        case file(EntityTag, bytes: Int)
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
            if case .file(_, let bytes) = state { fileBytes += bytes }
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
        default: nil
        }
    }
}
