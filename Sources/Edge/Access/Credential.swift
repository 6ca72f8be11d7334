import FoundationEssentials
import NIOCore
import Registry
import Signing

/// The secret that a request carries, whichever way cargo or a person sent it.
///
/// | form                                    | sent by                               |
/// |-----------------------------------------|---------------------------------------|
/// | `Authorization: lsh_t…`                 | cargo                                 |
/// | `Bearer`, in any case                   | people, and cargo if they stored it so |
/// | `Basic`: password, or user name if the password is empty | tools that know nothing else |
/// | `/t/{token}/…` in the path              | cargo before 1.74                     |
///
/// Source: docs/PROTOCOL.md, D2 and D10.
enum Credential: Sendable, Equatable {
    case none
    /// No secret that we can have handed out.
    case malformed
    /// The hash by which origin and edges know it.
    case secret(Checksum)

    private static let bytesMax = 1024

    init(authorization: ByteBuffer?, pathToken: ByteBuffer?) {
        if let pathToken {
            self = Self.secret(in: String(buffer: pathToken))
        } else if let authorization {
            self = authorization.readableBytes <= Self.bytesMax ? Self.read(String(buffer: authorization)) : .malformed
        } else {
            self = .none
        }
    }

    private static func read(_ header: String) -> Credential {
        let words = header.split(separator: " ", omittingEmptySubsequences: true)
        switch (words.count, words.first?.lowercased()) {
        case (1, _): return secret(in: words[0])
        case (2, "bearer"): return secret(in: words[1])
        case (2, "basic"): return basic(words[1])
        default: return .malformed
        }
    }

    private static func basic(_ text: Substring) -> Credential {
        guard let bytes = Data(base64Encoded: String(text)) else { return .malformed }
        let parts = String(decoding: bytes, as: UTF8.self).split(
            separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let password = parts.count == 2 ? parts[1] : ""
        return secret(in: password.isEmpty ? parts[0] : password)
    }

    private static func secret(in text: some StringProtocol) -> Credential {
        guard let token = SecretToken(parsing: text), token.kind == .token else { return .malformed }
        return .secret(token.hash)
    }
}
