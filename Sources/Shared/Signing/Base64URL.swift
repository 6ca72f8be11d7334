import FoundationEssentials

/// base64url without padding (RFC 4648, section 5), in exactly one spelling.
package enum Base64URL {
    /// 4 characters for 3 bytes, of `A…Z a…z 0…9 - _`.
    package static func text(_ bytes: [UInt8]) -> String {
        String(
            Data(bytes).base64EncodedString().compactMap { character -> Character? in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            })
    }

    /// - Returns: nil for anything that `text` would not have written, such as a last character with spare bits set.
    package static func bytes(_ text: String) -> [UInt8]? {
        let plain = String(text.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
        let padding = String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
        guard let data = Data(base64Encoded: plain + padding) else { return nil }
        let bytes = [UInt8](data)
        return Self.text(bytes) == text ? bytes : nil
    }
}
