// Keys and the four kinds of strings.
extension TOMLCursor {
    /// `a."b c".d`, with spaces around the dots.
    mutating func key() throws(ManifestReader.Invalid) -> [String] {
        var parts = [try keyPart()]
        skipSpace()
        while skip(".") {
            guard parts.count < ManifestReader.depthMax else { throw fault("a key has too many parts") }
            skipSpace()
            parts.append(try keyPart())
            skipSpace()
        }
        return parts
    }

    private mutating func keyPart() throws(ManifestReader.Invalid) -> String {
        guard !hasNext("\"\"\""), !hasNext("'''") else { throw fault("a key may not go over several lines") }
        if let text = try string() { return text }
        let bare = take(while: \.isBareKey)
        guard !bare.isEmpty else { throw fault("expected a key") }
        return String(decoding: bare, as: UTF8.self)
    }

    /// - Returns: nil if no string begins here.
    mutating func string() throws(ManifestReader.Invalid) -> String? {
        if skip("\"\"\"") { return try longString(isLiteral: false) }
        if skip("'''") { return try longString(isLiteral: true) }
        if skip("\"") { return try shortString(isLiteral: false) }
        if skip("'") { return try shortString(isLiteral: true) }
        return nil
    }

    private mutating func shortString(isLiteral: Bool) throws(ManifestReader.Invalid) -> String {
        let mark: UInt8 = isLiteral ? UInt8(ascii: "'") : UInt8(ascii: "\"")
        var text: [UInt8] = []
        while let byte = next, !byte.isControl {
            place += 1
            if byte == mark { return String(decoding: text, as: UTF8.self) }
            if byte == UInt8(ascii: "\\"), !isLiteral {
                try escape(into: &text)
            } else {
                text.append(byte)
            }
        }
        throw fault(isAtEnd || hasNext("\n") || hasNext("\r\n") ? "a string has no end" : Self.control)
    }

    private mutating func longString(isLiteral: Bool) throws(ManifestReader.Invalid) -> String {
        let mark: UInt8 = isLiteral ? UInt8(ascii: "'") : UInt8(ascii: "\"")
        var text: [UInt8] = []
        _ = skipNewline()
        while let byte = next {
            if skipNewline() {
                text.append(UInt8(ascii: "\n"))
            } else if byte.isControl {
                throw fault(Self.control)
            } else if byte == mark {
                let marks = take { $0 == mark }.count
                // Up to two marks may stand at the end of the text, right before the three that close it.
                guard marks <= 5 else { throw fault("too many quotation marks") }
                text += [UInt8](repeating: mark, count: marks < 3 ? marks : marks - 3)
                if marks >= 3 { return String(decoding: text, as: UTF8.self) }
            } else {
                place += 1
                if byte == UInt8(ascii: "\\"), !isLiteral {
                    if try !skipFoldedLines() { try escape(into: &text) }
                } else {
                    text.append(byte)
                }
            }
        }
        throw fault("a string has no end")
    }

    /// After a backslash: steps over the end of the line and all space before the next character.
    private mutating func skipFoldedLines() throws(ManifestReader.Invalid) -> Bool {
        let start = place
        skipSpace()
        guard skipNewline() else {
            place = start
            return false
        }
        repeat { skipSpace() } while skipNewline()
        return true
    }

    /// After a backslash.
    private mutating func escape(into text: inout [UInt8]) throws(ManifestReader.Invalid) {
        let start = place - 1
        guard let byte = next else { throw fault("a string has no end") }
        place += 1
        switch byte {
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(byte)
        case UInt8(ascii: "u"): text += try scalar(digits: 4, from: start).utf8
        case UInt8(ascii: "U"): text += try scalar(digits: 8, from: start).utf8
        default: throw fault("unknown escape; write `\\\\` for a backslash", at: start)
        }
    }

    private mutating func scalar(digits: Int, from start: Int) throws(ManifestReader.Invalid) -> String {
        let hex = bytes[place...].prefix(digits)
        guard hex.count == digits, hex.allSatisfy(\.isHexDigit),
            let number = UInt32(String(decoding: hex, as: UTF8.self), radix: 16), let scalar = Unicode.Scalar(number)
        else { throw fault("an escape must be the \(digits) hex digits of a Unicode character", at: start) }
        // Legal in TOML, but no name, path or text of a crate has a use for it, and PostgreSQL cannot store it.
        guard number != 0 else { throw fault("a string may not hold a NUL character", at: start) }
        place += digits
        return String(scalar)
    }

    private static let control = "a string holds a control character; write it as an escape"
}

extension UInt8 {
    var isHexDigit: Bool {
        isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self)
            || (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(self)
    }
}
