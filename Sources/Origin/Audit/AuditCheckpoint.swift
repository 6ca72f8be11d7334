import Crypto
import FoundationEssentials
import Signing

/// The origin's signed word that the chain had this hash at this line, to be kept where the origin can't reach it.
///
/// Whoever may write the table can write the whole chain anew; the hash that lies elsewhere does not change with it. One
/// JSON object on one line; the signature is Ed25519 over `signedText`.
struct AuditCheckpoint: Codable, Hashable, Sendable {
    static let formatName = "longshore-audit-checkpoint-1"

    let format: String
    let seq: Int64
    /// Of line `seq`, 64 hex digits.
    let hash: String
    /// When it was signed, by the database's clock, as lines have it.
    let at: String
    /// The id of the key, as `longshore-origin audit key` shows it.
    let key: String
    /// base64url without padding.
    let signature: String

    var place: AuditChain.Place { AuditChain.Place(seq: seq, hash: hash) }

    /// What is signed: the format, which parts it from all else that an Ed25519 key of ours signs, and each field, one a line.
    static func signedText(_ place: AuditChain.Place, at: String, key: String) -> [UInt8] {
        Array("\(formatName)\n\(place.seq)\n\(place.hash)\n\(at)\n\(key)\n".utf8)
    }

    /// Whether one of these keys made the signature.
    func isSigned(by keys: [AuditPublicKey]) -> Bool {
        guard format == Self.formatName, let signature = Base64URL.bytes(signature) else { return false }
        let text = Self.signedText(place, at: at, key: key)
        return keys.contains { $0.isSignature(signature, of: text) }
    }

    /// One line, without a line feed.
    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    init(parsing text: String) throws {
        self = try JSONDecoder().decode(Self.self, from: Data(text.utf8))
    }

    init(_ place: AuditChain.Place, at: String, signedBy key: AuditKey) throws {
        format = Self.formatName
        seq = place.seq
        hash = place.hash
        self.at = at
        self.key = key.id
        signature = Base64URL.text(try key.sign(Self.signedText(place, at: at, key: key.id)))
    }
}

/// The public half of a key that signs checkpoints.
struct AuditPublicKey: Sendable {
    private let key: Curve25519.Signing.PublicKey

    /// - Returns: nil unless these are 32 bytes.
    init?(_ bytes: [UInt8]) {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes) else { return nil }
        self.key = key
    }

    /// Reads what `longshore-origin audit key` prints.
    init?(text: String) {
        guard let bytes = Base64URL.bytes(text) else { return nil }
        self.init(bytes)
    }

    fileprivate func isSignature(_ signature: [UInt8], of text: [UInt8]) -> Bool {
        key.isValidSignature(signature, for: text)
    }
}

/// A private key that signs checkpoints and nothing else; no edge knows of it.
struct AuditKey: Sendable, CustomStringConvertible, CustomReflectable {
    /// An `a` and ten lower-case letters and digits.
    let id: String
    private let key: Curve25519.Signing.PrivateKey

    init() {
        var generator = SystemRandomNumberGenerator()
        let digits = Array("0123456789abcdefghijklmnopqrstuvwxyz")
        id = "a" + String((0..<10).map { _ in digits[Int.random(in: digits.indices, using: &generator)] })
        key = Curve25519.Signing.PrivateKey()
    }

    /// - Returns: nil unless `seed` has 32 bytes.
    init?(id: String, seed: [UInt8]) {
        guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else { return nil }
        self.id = id
        self.key = key
    }

    var seed: [UInt8] { Array(key.rawRepresentation) }
    var publicKey: [UInt8] { Array(key.publicKey.rawRepresentation) }

    func sign(_ text: [UInt8]) throws -> [UInt8] { Array(try key.signature(for: text)) }

    var description: String { "the audit key \(id)" }
    /// Has no children, so that `dump` and debuggers show nothing.
    var customMirror: Mirror { Mirror(self, children: []) }
}
