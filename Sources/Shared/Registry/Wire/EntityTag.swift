/// The strong ETag of an index file: `"g17-<64 hex digits>"`, the crate's generation and the hash of the identity bytes.
///
/// cargo echoes it byte for byte, so an edge that reads a higher generation than it holds knows that it is behind.
/// Source: docs/PROTOCOL.md, "ETag"; design: "the client is a witness".
package struct EntityTag: Hashable, Sendable, CustomStringConvertible {
    /// Counts the changes of one crate's index file, from 1.
    package let generation: UInt64
    package let checksum: Checksum

    package init(generation: UInt64, checksum: Checksum) {
        self.generation = generation
        self.checksum = checksum
    }

    /// Reads one tag as it stands in a header, weak (`W/"…"`) or strong.
    ///
    /// - Returns: nil for a tag that we did not write.
    package init?(parsing text: some StringProtocol) {
        var rest = text[...]
        if rest.hasPrefix("W/") { rest = rest.dropFirst(2) }
        guard rest.hasPrefix("\"g"), rest.hasSuffix("\""), rest.utf8.count > 3 else { return nil }
        let inner = rest.dropFirst(2).dropLast()
        guard let dash = inner.firstIndex(of: "-"), let generation = UInt64(inner[..<dash]), generation > 0,
            let checksum = Checksum(hex: inner[inner.index(after: dash)...])
        else { return nil }
        self.init(generation: generation, checksum: checksum)
        // `+17` and `017` are numbers too, but not as we write them.
        guard description == rest else { return nil }
    }

    /// The generation in the bytes of exactly one strong tag, written as we write it; without making text of them.
    ///
    /// Two such tags are the same only if their bytes are.
    package static func generation(ofExact bytes: UnsafeRawBufferPointer) -> UInt64? {
        let dash = bytes.count - 2 * Checksum.bytesCount - 2
        guard dash > 2, bytes.starts(with: "\"g".utf8), bytes[2] != UInt8(ascii: "0"), bytes[dash] == UInt8(ascii: "-"),
            bytes.last == UInt8(ascii: "\""), bytes[(dash + 1)...].dropLast().allSatisfy(isHexDigit)
        else { return nil }
        var generation: UInt64 = 0
        for byte in bytes[2..<dash] {
            let (tenfold, isTooMuch) = generation.multipliedReportingOverflow(by: 10)
            let (sum, isMore) = tenfold.addingReportingOverflow(UInt64(byte &- UInt8(ascii: "0")))
            guard !isTooMuch, !isMore, byte &- UInt8(ascii: "0") < 10 else { return nil }
            generation = sum
        }
        return generation
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10 || byte &- UInt8(ascii: "a") < 6
    }

    /// The tags of ours in an `If-None-Match` list; others are passed over.
    package static func list(_ header: String) -> [EntityTag] {
        header.split(separator: ",").compactMap { part in
            EntityTag(parsing: part.drop { $0 == " " || $0 == "\t" }.trimmedRight)
        }
    }

    /// True if an `If-None-Match` header asks for 304: it names this tag, weak or strong, or says `*`.
    package func isNamed(in header: String) -> Bool {
        header == "*" || Self.list(header).contains(self)
    }

    package var description: String { "\"g\(generation)-\(checksum)\"" }
}

extension Substring {
    fileprivate var trimmedRight: Substring {
        var rest = self
        while rest.last == " " || rest.last == "\t" { rest.removeLast() }
        return rest
    }
}
