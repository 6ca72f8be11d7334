import Crypto
package import Registry

/// A secret that we hand out once: `lsh_` + kind + 43 base62 digits (32 random bytes) + 6 base62 digits of checksum.
///
/// The fixed prefix and the checksum let scanners find a leaked one without false alarms.
/// The database keeps `hash` only, and looks a secret up by it; so nothing ever compares two secrets byte by byte.
/// A value of this type never prints its text in a log, a dump or a debugger: only the kind is shown.
package struct SecretToken: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// What a secret is for; the letter after `lsh_`.
    package enum Kind: Character, Sendable, CaseIterable {
        /// A user's token.
        case token = "t"
        /// An edge's credential.
        case edge = "e"
    }

    /// What the secret is for.
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

    /// Reads a secret as it came with a request: exactly as it was handed out, no spaces around it.
    ///
    /// - Returns: nil for anything that we can't have handed out. The checksum is no proof that we did.
    package init?(parsing text: some StringProtocol) {
        guard text.utf8.count == Self.prefix.utf8.count + 1 + Self.bodyDigits + Self.checkDigits,
            text.hasPrefix(Self.prefix), let letter = text.dropFirst(Self.prefix.count).first,
            let kind = Kind(rawValue: letter), text.utf8.dropFirst(Self.prefix.utf8.count).allSatisfy(Self.isDigit)
        else { return nil }
        let rest = text.dropFirst(Self.prefix.count + 1)
        let body = String(rest.prefix(Self.bodyDigits))
        guard String(rest.dropFirst(Self.bodyDigits)) == Self.check(kind, body) else { return nil }
        self.kind = kind
        self.text = String(text)
    }

    /// What the database and the edges know the secret by: SHA-256 of its text.
    package var hash: Checksum { Self.hash(of: text) }

    static func hash(of text: String) -> Checksum {
        guard let checksum = Checksum(bytes: SHA256.hash(data: Array(text.utf8))) else {
            preconditionFailure("SHA-256 has 32 bytes")
        }
        return checksum
    }

    /// `lsh_t…`: the kind, and nothing of the secret.
    package var description: String { "\(Self.prefix)\(kind.rawValue)…" }
    /// The same as `description`.
    package var debugDescription: String { description }
    /// Has no children, so that `dump` and debuggers show nothing either.
    package var customMirror: Mirror { Mirror(self, children: []) }

    private static func check(_ kind: Kind, _ body: String) -> String {
        let digest = SHA256.hash(data: Array("longshore \(kind.rawValue) \(body)".utf8))
        return base62(Array(digest.prefix(4)), digits: checkDigits)
    }

    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

    private static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }

    /// The number that `bytes` spell, big-endian, in exactly `digits` digits; what does not fit is left out.
    static func base62(_ bytes: [UInt8], digits: Int) -> String {
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
