import FoundationEssentials

/// A secret as it stands in a request, read from the forms that cargo and people send.
///
/// | `Authorization`           | sent by                                                     |
/// |---------------------------|-------------------------------------------------------------|
/// | `lsh_t…`                  | cargo with a stored token                                   |
/// | `Bearer lsh_t…`, any case | people, and edges                                           |
/// | `Basic base64(user:pass)` | cargo before 1.74 with user info in a URL; either may be it |
///
/// Source: docs/PROTOCOL.md, "When the token is sent", D2 and D10.
package enum Credential: Sendable {
    case none
    case secret(SecretToken)
    case malformed
    case unknownScheme(String)

    /// Longer headers are no credential of ours.
    package static let bytesMax = 1024

    /// - Parameter header: the value of `authorization`; nil without one.
    package init(authorization header: String?) {
        guard let header else {
            self = .none
            return
        }
        let words = header.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        guard header.utf8.count <= Self.bytesMax, let first = words.first else {
            self = .malformed
            return
        }
        guard words.count == 2 else {
            self = SecretToken(parsing: first).map(Self.secret) ?? .malformed
            return
        }
        let rest = words[1].drop { $0 == " " }
        switch first.lowercased() {
        case "bearer": self = SecretToken(parsing: rest).map(Self.secret) ?? .malformed
        case "basic": self = Self.basic(rest)
        default: self = .unknownScheme(Self.printable(first))
        }
    }

    /// The password if it is a secret of ours, else the user name: some clients can fill in only one of them.
    private static func basic(_ text: Substring) -> Credential {
        guard let bytes = Data(base64Encoded: String(text)) else { return .malformed }
        let parts = String(decoding: bytes, as: UTF8.self).split(
            separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let secret = parts.reversed().lazy.compactMap { SecretToken(parsing: $0) }.first
        return secret.map(Self.secret) ?? .malformed
    }

    /// The scheme goes back in the answer, so only what can't be a secret or a control character stays.
    private static func printable(_ scheme: Substring) -> String {
        String(scheme.prefix(16).filter { $0.isASCII && ($0.isLetter || $0 == "-") })
    }
}
