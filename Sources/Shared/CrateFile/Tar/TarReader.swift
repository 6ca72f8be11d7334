/// Walks a tar archive entry by entry, in constant memory and without writing anything.
///
/// Knows POSIX, GNU and version 7 headers, and long names in the ways of GNU (`L`) and PAX (`x`). Whatever two programs could
/// read differently is refused: two long names for one entry, a PAX size other than the header's, a directory
/// with content, one zero block, anything but zeros behind the end.
package struct TarReader<Source: ByteSource> {
    /// For the long name or the PAX records of one entry.
    package static var extensionBytesMax: Int { 64 << 10 }

    private var input: BlockReader<Source>
    /// Content of the current entry that nobody has read yet, and the padding behind it.
    private var bodyBytesLeft = 0
    private var paddingBytes = 0
    private var hasEnded = false

    package init(_ source: Source) { input = BlockReader(source) }

    /// Skips what is left of the current entry and reads the header of the next one.
    ///
    /// - Returns: nil at the end of the archive.
    /// - Throws: `Objection`, or what the source throws.
    package mutating func next() throws -> TarEntry? {
        guard !hasEnded else { return nil }
        var names = LongNames()
        while true {
            try skipBody()
            guard let header = try nextHeader() else {
                guard names.isEmpty else { throw Objection.malformed("a long name stands before no entry") }
                try readEnd()
                return nil
            }
            beginBody(header.bytesCount)
            switch header.typeFlag {
            case UInt8(ascii: "L"): try names.setGNU(body(bytesMax: Self.extensionBytesMax))
            case UInt8(ascii: "x"): try names.setPAX(PaxRecords(body(bytesMax: Self.extensionBytesMax)))
            default: return try entry(header, names)
            }
        }
    }

    /// The content of the current entry, or what is left of it.
    ///
    /// - Throws: `Objection.malformed` if it is longer than `bytesMax`, before any of it is read.
    package mutating func body(bytesMax: Int) throws -> [UInt8] {
        guard bodyBytesLeft <= bytesMax else { throw Objection.malformed("a tar header extension is too long") }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(bodyBytesLeft)
        while bodyBytesLeft > 0 {
            let part = try input.take(atMost: bodyBytesLeft)
            bytes.append(contentsOf: part)
            bodyBytesLeft -= part.count
        }
        return bytes
    }

    private func entry(_ header: TarHeader, _ names: LongNames) throws(Objection) -> TarEntry {
        let kind = TarEntry.Kind(typeFlag: header.typeFlag)
        if let size = names.paxSize, size != header.bytesCount {
            throw .malformed("a PAX header says another size than the entry's own header")
        }
        if kind == .directory, header.bytesCount != 0 { throw .malformed("a directory has content") }
        let bytes = names.path ?? header.name
        guard let path = String(validating: bytes, as: UTF8.self) else {
            throw .invalidPath(String(decoding: bytes, as: UTF8.self), why: "paths must be valid UTF-8")
        }
        return TarEntry(path: path, kind: kind, bytesCount: header.bytesCount)
    }

    private mutating func beginBody(_ bytesCount: Int) {
        bodyBytesLeft = bytesCount
        let past = bytesCount % TarHeader.bytesCount
        paddingBytes = past == 0 ? 0 : TarHeader.bytesCount - past
    }

    private mutating func skipBody() throws {
        while bodyBytesLeft > 0 { bodyBytesLeft -= try input.take(atMost: bodyBytesLeft).count }
        while paddingBytes > 0 { paddingBytes -= try input.take(atMost: paddingBytes).count }
    }

    /// - Returns: nil for a zero block.
    private mutating func nextHeader() throws -> TarHeader? {
        let block = try input.takeBlock()
        return block.allSatisfy { $0 == 0 } ? nil : try TarHeader(block)
    }

    /// After the first zero block: a second one, then zeros only.
    private mutating func readEnd() throws {
        guard try nextHeader() == nil else { throw Objection.malformed("an entry follows the end of the archive") }
        while let part = try input.takeAny() {
            guard part.allSatisfy({ $0 == 0 }) else {
                throw Objection.malformed("bytes follow the end of the archive")
            }
        }
        hasEnded = true
    }
}

/// The names and sizes that extension entries give to the next real entry.
private struct LongNames {
    private var gnuPath: [UInt8]?
    private var pax: PaxRecords?

    var isEmpty: Bool { gnuPath == nil && pax == nil }
    var path: [UInt8]? { gnuPath ?? pax?.path }
    var paxSize: Int? { pax?.size }

    mutating func setGNU(_ payload: [UInt8]) throws(Objection) {
        let path = payload.last == 0 ? payload.dropLast() : payload[...]
        guard gnuPath == nil, pax?.path == nil, !path.contains(0) else { throw Self.ambiguous }
        gnuPath = Array(path)
    }

    mutating func setPAX(_ records: PaxRecords) throws(Objection) {
        guard pax == nil, records.path == nil || gnuPath == nil, records.path?.contains(0) != true else {
            throw Self.ambiguous
        }
        pax = records
    }

    private static let ambiguous = Objection.malformed("an entry has two long names, or a NUL in its name")
}
