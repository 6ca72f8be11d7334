/// A place in a TOML text, and the small steps that can be taken from it.
struct TOMLCursor {
    let bytes: [UInt8]
    var place = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        // Windows editors write this mark; cargo skips it.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { place = 3 }
    }

    var isAtEnd: Bool { place >= bytes.count }
    var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    func hasNext(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { bytes[place...].starts(with: $0) }
    }

    /// Steps over `text` if it stands here.
    mutating func skip(_ text: StaticString) -> Bool {
        guard hasNext(text) else { return false }
        place += text.utf8CodeUnitCount
        return true
    }

    mutating func expect(_ text: StaticString, _ reason: String) throws(ManifestReader.Invalid) {
        guard skip(text) else { throw fault(reason) }
    }

    /// Steps over the bytes that `isWanted` takes, and returns them.
    mutating func take(while isWanted: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = place
        while let byte = next, isWanted(byte) { place += 1 }
        return bytes[start..<place]
    }

    mutating func skipSpace() { _ = take { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") } }

    /// Spaces, comments and line ends, as they may stand between the values of an array.
    mutating func skipBlank() throws(ManifestReader.Invalid) {
        repeat {
            skipSpace()
            try skipComment()
        } while skipNewline()
    }

    mutating func skipNewline() -> Bool { skip("\n") || skip("\r\n") }

    /// What may follow a statement: a comment, then the end of the line or of the text.
    mutating func endLine() throws(ManifestReader.Invalid) {
        skipSpace()
        try skipComment()
        guard isAtEnd || skipNewline() else { throw fault("expected the end of the line") }
    }

    private mutating func skipComment() throws(ManifestReader.Invalid) {
        guard next == UInt8(ascii: "#") else { return }
        _ = take { !$0.isControl }
        guard isAtEnd || hasNext("\n") || hasNext("\r\n") else { throw fault("a comment holds a control character") }
    }

    /// - Parameter place: nil for where the cursor stands.
    func fault(_ reason: String, at place: Int? = nil) -> ManifestReader.Invalid {
        let before = bytes[..<min(place ?? self.place, bytes.count)]
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let isScalarStart = { (byte: UInt8) in byte & 0xC0 != 0x80 }
        return ManifestReader.Invalid(
            line: before.count { $0 == UInt8(ascii: "\n") } + 1,
            column: before[lineStart...].count(where: isScalarStart) + 1, reason: reason)
    }
}

extension UInt8 {
    /// One that TOML allows nowhere in a line: all control characters but the tab.
    var isControl: Bool { (self < 0x20 && self != UInt8(ascii: "\t")) || self == 0x7F }

    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    var isBareKey: Bool {
        isDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self)
            || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) || self == UInt8(ascii: "-")
            || self == UInt8(ascii: "_")
    }
}
