/// An edge's question for index files and what a resolver will ask next.
///
/// `POST /edge/v1/closure/{repository}` with, integers big-endian:
///
/// | bytes             | what                                                                  |
/// |-------------------|-----------------------------------------------------------------------|
/// | 2                 | how many roots, 1 to `rootsMax`                                       |
/// | 1 and that many   | each root: the length of its lower-case name, and the name            |
/// | 2                 | how many marks, at most `heldMax`                                     |
/// | 4 each            | a `HeldMark` of something that the edge holds                         |
///
/// Source: docs/decisions/0007-closure-fill.md
package struct ClosureQuestion: Hashable, Sendable {
    /// A whole application's direct dependencies fit.
    package static let rootsMax = 256
    /// 12 KiB of marks: with the head they fit in what a fresh TCP connection sends before the first answer.
    package static let heldMax = 3072
    /// No question is longer.
    package static let bytesMax = 4 + rootsMax * (1 + CrateName.bytesMax) + heldMax * 4

    package let roots: [IndexPath]
    package let held: [HeldMark]

    /// Takes what fits of both.
    package init(roots: [IndexPath], held: [HeldMark] = []) {
        self.roots = Array(roots.prefix(Self.rootsMax))
        self.held = Array(held.prefix(Self.heldMax))
    }

    /// Reads a question as `bytes` writes it.
    ///
    /// - Returns: nil for anything that an edge would not have written.
    package init?(parsing bytes: [UInt8]) {
        var cursor = WireCursor(bytes)
        guard let rootCount = cursor.integer(UInt16.self), (1...Self.rootsMax).contains(Int(rootCount)) else {
            return nil
        }
        var roots: [IndexPath] = []
        for _ in 0..<rootCount {
            guard let root = cursor.indexPath() else { return nil }
            roots.append(root)
        }
        guard let heldCount = cursor.integer(UInt16.self), heldCount <= Self.heldMax else { return nil }
        var held: [HeldMark] = []
        for _ in 0..<heldCount {
            guard let mark = cursor.integer(UInt32.self) else { return nil }
            held.append(HeldMark(number: mark))
        }
        guard cursor.isAtEnd else { return nil }
        self.init(roots: roots, held: held)
    }

    package var bytes: [UInt8] {
        var writer = WireWriter()
        writer.write(UInt16(roots.count))
        for root in roots { writer.write(root) }
        writer.write(UInt16(held.count))
        for mark in held { writer.write(mark.number) }
        return writer.bytes
    }
}

/// Four bytes that stand for one held index file, or for a held absence: FNV-1a of its name and its tag.
///
/// Two files may have the same mark. Then the origin says "as you hold it" of a file that the edge does not hold, the edge
/// sees another tag than its own, and asks for that file when somebody wants it: a collision costs a question.
package struct HeldMark: Hashable, Sendable {
    package let number: UInt32

    init(number: UInt32) { self.number = number }

    /// - Parameter tag: nil for an absence.
    package init(_ path: IndexPath, _ tag: EntityTag?) {
        var hash: UInt32 = 2_166_136_261
        func add(_ byte: UInt8) { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        path.name.utf8.forEach(add)
        add(0)
        if let tag {
            withUnsafeBytes(of: tag.generation.bigEndian) { $0.forEach(add) }
            tag.checksum.bytes.prefix(8).forEach(add)
        }
        number = hash
    }
}

/// Writes the integers and names of the closure's wire.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    mutating func write(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func write(_ path: IndexPath) {
        write(UInt8(path.name.utf8.count))
        bytes.append(contentsOf: path.name.utf8)
    }

    mutating func write(_ tag: EntityTag) {
        write(tag.generation)
        bytes.append(contentsOf: tag.checksum.bytes)
    }
}

/// Reads them; nil as soon as something is missing or not as it would have been written.
struct WireCursor {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type) -> Value? {
        guard let bytes = take(MemoryLayout<Value>.size) else { return nil }
        return bytes.reduce(0) { $0 << 8 | Value(truncatingIfNeeded: $1) }
    }

    mutating func indexPath() -> IndexPath? {
        guard let count = integer(UInt8.self), let bytes = take(Int(count)) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let name = try? CrateName(text), name.lowered == text else { return nil }
        return name.indexPath
    }

    mutating func tag() -> EntityTag? {
        guard let generation = integer(UInt64.self), generation > 0, let bytes = take(32),
            let checksum = Checksum(bytes: bytes)
        else { return nil }
        return EntityTag(generation: generation, checksum: checksum)
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}
