import Crypto
package import Registry

/// A secret that we hand out once: `lsh_` + kind + 43 base62 digits (32 random bytes) + 6 base62 digits of checksum.
///
/// The fixed prefix and the checksum let scanners find a leaked one without false alarms.
/// The database keeps `hash` only. A value of this type never prints its text in a log: `description` shows the kind.
package struct SecretToken: Sendable, CustomStringConvertible {
    package enum Kind: Character, Sendable, CaseIterable {
        case token = "t"
        case edge = "e"
    }

    package let kind: Kind
    /// The secret itself: print it once, keep it nowhere.
    package let text: String

    private static let prefix = "lsh_"
    private static let bodyDigits = 43
    private static let checkDigits = 6

    /// Makes a new secret from 32 random bytes.
    package init(kind: Kind) {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let body = Self.base62(bytes, digits: Self.bodyDigits)
        self.kind = kind
        text = Self.prefix + String(kind.rawValue) + body + Self.check(kind, body)
    }

    /// - Returns: nil for anything that we can't have handed out.
    package init?(parsing text: some StringProtocol) {
        guard text.utf8.count == Self.prefix.utf8.count + 1 + Self.bodyDigits + Self.checkDigits,
            text.hasPrefix(Self.prefix), let letter = text.dropFirst(Self.prefix.count).first,
            let kind = Kind(rawValue: letter)
        else { return nil }
        let rest = text.dropFirst(Self.prefix.count + 1)
        let body = String(rest.prefix(Self.bodyDigits))
        guard String(rest.dropFirst(Self.bodyDigits)) == Self.check(kind, body) else { return nil }
        self.kind = kind
        self.text = String(text)
    }

    /// What the database and the edges know the secret by.
    package var hash: Checksum {
        guard let checksum = Checksum(bytes: SHA256.hash(data: Array(text.utf8))) else {
            preconditionFailure("SHA-256 has 32 bytes")
        }
        return checksum
    }

    package var description: String { "\(Self.prefix)\(kind.rawValue)…" }

    private static func check(_ kind: Kind, _ body: String) -> String {
        let digest = SHA256.hash(data: Array("longshore \(kind.rawValue) \(body)".utf8))
        return base62(Array(digest.prefix(4)), digits: checkDigits)
    }

    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

    /// The number that `bytes` spell, big-endian, in exactly `digits` digits.
    private static func base62(_ bytes: [UInt8], digits: Int) -> String {
        var number = bytes
        var text: [Character] = []
        for _ in 0..<digits {
            var rest = 0
            for place in number.indices {
                let value = rest << 8 | Int(number[place])
                number[place] = UInt8(value / 62)
                rest = value % 62
            }
            text.append(alphabet[rest])
        }
        return String(text.reversed())
    }
}
