/// Makes a `.crate` as `cargo package` does: gzip around a GNU tar, everything below `name-vers/`, no owner, one fixed time.
///
/// For tests and for the load generator; `add(_: RawEntry)` writes what no honest program would. Bytes flow to the sink as
/// they come, so a crate of any size costs constant memory. Call `finish()` last.
package final class CrateWriter {
    /// 2006-07-24 01:21:28 UTC, the time that cargo gives all files.
    package static let modificationTime = 1_153_704_088

    private let root: String
    private let gzip: Gzip

    /// - Parameters:
    ///   - root: `name-vers`.
    ///   - level: 0...9, see `Gzip`.
    package init(root: String, level: Int = 6, to sink: any ByteSink) throws {
        self.root = root
        gzip = try Gzip(level: level, to: sink)
    }

    /// Adds a regular file.
    ///
    /// - Parameter path: below `name-vers/`.
    package func add(_ path: String, _ text: String) throws {
        try add(RawEntry("\(root)/\(path)", body: Array(text.utf8)))
    }

    /// Adds a regular file of zeros without ever holding it.
    package func addZeros(_ path: String, bytesCount: Int) throws {
        try add(RawEntry("\(root)/\(path)", declaredBytes: bytesCount))
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        var left = TarBlock.padded(bytesCount)
        while left > 0 {
            let count = min(left, zeros.count)
            try zeros.withUnsafeBytes { try gzip.write(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            left -= count
        }
    }

    /// Adds exactly this entry, below no folder but the one in its own path.
    package func add(_ entry: RawEntry) throws {
        if entry.path.count > TarBlock.nameBytesMax, entry.longNames == .gnu {
            try write(TarBlock(RawEntry(path: Array("././@LongLink".utf8), type: "L", body: entry.path + [0])).bytes)
        }
        try write(TarBlock(entry).bytes)
    }

    /// Adds bytes to the tar archive as they are.
    package func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes(gzip.write) }

    /// - Parameter withEnd: false leaves out the two zero blocks that end a tar archive.
    package func finish(withEnd: Bool = true) throws {
        if withEnd { try write([UInt8](repeating: 0, count: 2 * TarHeader.bytesCount)) }
        try gzip.finish()
    }

    /// A whole crate in memory.
    package static func crate(
        root: String, level: Int = 6, _ fill: (CrateWriter) throws -> Void
    ) throws -> [UInt8] {
        let sink = BytesSink()
        let writer = try CrateWriter(root: root, level: level, to: sink)
        try fill(writer)
        try writer.finish()
        return sink.bytes
    }
}

/// An entry that is written as it stands, honest or not.
package struct RawEntry: Sendable {
    /// How a path that does not fit the header is written: GNU's way, or cut off.
    package enum LongNames: Sendable { case gnu, cut }

    package var path: [UInt8]
    package var type: Character
    package var body: [UInt8]
    /// What the header says of the size, if that is not the body's.
    package var declaredBytes: Int?
    /// Takes the place of the header's twelve bytes of size.
    package var sizeField: [UInt8]?
    package var linkTarget: String
    package var magic: [UInt8]
    package var prefix: String
    /// Added to the right checksum.
    package var checksumError: Int
    package var longNames: LongNames

    package init(
        path: [UInt8], type: Character = "0", body: [UInt8] = [], declaredBytes: Int? = nil,
        sizeField: [UInt8]? = nil, linkTarget: String = "", magic: [UInt8] = Array("ustar  \u{0}".utf8),
        prefix: String = "", checksumError: Int = 0, longNames: LongNames = .gnu
    ) {
        precondition(type.isASCII, "the type of an entry is one byte")
        self.path = path
        self.type = type
        self.body = body
        self.declaredBytes = declaredBytes
        self.sizeField = sizeField
        self.linkTarget = linkTarget
        self.magic = magic
        self.prefix = prefix
        self.checksumError = checksumError
        self.longNames = longNames
    }

    package init(
        _ path: String, type: Character = "0", body: [UInt8] = [], declaredBytes: Int? = nil,
        linkTarget: String = ""
    ) {
        self.init(
            path: Array(path.utf8), type: type, body: body, declaredBytes: declaredBytes, linkTarget: linkTarget)
    }

    /// A PAX header for the entry that is added next; each record gets its right length.
    package static func pax(_ records: [(key: String, value: String)]) -> RawEntry {
        let body = records.flatMap { Self.paxRecord(key: $0.key, value: $0.value) }
        return RawEntry("PaxHeaders/x", type: "x", body: body)
    }

    /// `LENGTH KEY=VALUE\n`, where the length counts its own digits.
    private static func paxRecord(key: String, value: String) -> [UInt8] {
        let rest = Array(" \(key)=\(value)\n".utf8)
        var length = rest.count
        while "\(length)".utf8.count + rest.count != length { length = "\(length)".utf8.count + rest.count }
        return Array("\(length)".utf8) + rest
    }
}
