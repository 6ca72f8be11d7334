/// Masks what must never stand in a log.
///
/// | looks like                       | becomes        |
/// |----------------------------------|----------------|
/// | `lsh_t` and 4 or more digits     | `lsh_…`        |
/// | `ls-sig=` and a value            | `ls-sig=…`     |
/// | `scheme://user:password@host`    | `scheme://user:…@host` |
package enum Redaction {
    /// The same text, with secrets masked. Cheap for texts without any.
    package static func mask(_ text: String) -> String {
        var text = text
        if text.utf8.count >= secretMark.count { text = mask(text, after: secretMark, while: isWord, leastBytes: 4) }
        if text.contains("ls-sig") { text = mask(text, after: Array("ls-sig=".utf8), while: isValue, leastBytes: 1) }
        if text.contains("://") { text = maskPassword(text) }
        return text
    }

    private static let secretMark = Array("lsh_".utf8)

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }

    private static func isValue(_ byte: UInt8) -> Bool {
        isWord(byte) || "-_%=.~+/".utf8.contains(byte)
    }

    private static func mask(
        _ text: String, after mark: [UInt8], while belongs: (UInt8) -> Bool, leastBytes: Int
    ) -> String {
        let bytes = Array(text.utf8)
        var masked: [UInt8] = []
        var place = 0
        while place < bytes.count {
            guard bytes[place] == mark[0], bytes[place...].starts(with: mark) else {
                masked.append(bytes[place])
                place += 1
                continue
            }
            let secret = bytes[(place + mark.count)...].prefix(while: belongs)
            masked += mark
            place += mark.count
            guard secret.count >= leastBytes else { continue }
            masked += Array("…".utf8)
            place += secret.count
        }
        return masked.count == bytes.count ? text : String(decoding: masked, as: UTF8.self)
    }

    /// A connection string's password stands between `:` and the last `@` before the path.
    private static func maskPassword(_ text: String) -> String {
        var masked = ""
        var rest = text[...]
        while let scheme = rest.firstRange(of: "://") {
            masked += rest[..<scheme.upperBound]
            rest = rest[scheme.upperBound...]
            let authority = rest.prefix { !"/?# \n\"'".contains($0) }
            guard let at = authority.lastIndex(of: "@"), let colon = authority[..<at].firstIndex(of: ":") else {
                continue
            }
            masked += rest[...colon] + "…"
            rest = rest[at...]
        }
        return masked + rest
    }
}
