import Crypto
import Signing

/// Seals private keys before they reach the database, so that a dump of it signs nothing.
///
/// ChaCha20-Poly1305 under a key that HKDF-SHA256 derives from the signing secret, one for each key id. The secret must
/// be random (32 bytes in base64, say): HKDF does not slow down whoever guesses words.
package struct KeySeal: Sendable {
    static let secretBytesMin = 20

    /// One sentence for the operator.
    package struct Failure: Error, Hashable, CustomStringConvertible {
        package let description: String
    }

    private let secret: SymmetricKey
    /// Where the secret came from, for messages.
    private let source: String

    /// - Throws: a secret that can be guessed.
    init(secret: String, source: String) throws(Failure) {
        guard secret.utf8.count >= Self.secretBytesMin else {
            throw Failure(
                description: "the signing secret in \(source) is shorter than \(Self.secretBytesMin) characters; make "
                    + "one with `openssl rand -base64 32`")
        }
        self.secret = SymmetricKey(data: Array(secret.utf8))
        self.source = source
    }

    func seal(_ key: SigningKey) throws -> [UInt8] {
        let box = try ChaChaPoly.seal(key.seed, using: wrap(key.id), authenticating: key.publicKey)
        return Array(box.combined)
    }

    /// - Throws: `Failure` if it was sealed with another secret, or is damaged.
    func open(_ sealed: [UInt8], id: String, publicKey: [UInt8]) throws(Failure) -> SigningKey {
        guard let box = try? ChaChaPoly.SealedBox(combined: sealed),
            let seed = try? ChaChaPoly.open(box, using: wrap(id), authenticating: publicKey),
            let key = SigningKey(id: id, seed: Array(seed)), key.publicKey == publicKey
        else {
            throw Failure(
                description: "the signing key `\(id)` was sealed with another secret than that in \(source); give the "
                    + "right one in `signing-secret`, or begin anew with `longshore-origin key rotate --new-secret`")
        }
        return key
    }

    /// Seals another secret than a signing key: the origin's own, which it must be able to read again.
    ///
    /// - Parameter purpose: what it is for, with its id, such as `webhook 7`: opens nothing that was sealed for another.
    func seal(_ secret: [UInt8], for purpose: String) throws -> [UInt8] {
        Array(try ChaChaPoly.seal(secret, using: wrap(purpose), authenticating: Array(purpose.utf8)).combined)
    }

    /// - Throws: `Failure` if it was sealed with another secret or for another purpose, or is damaged.
    func open(_ sealed: [UInt8], for purpose: String) throws(Failure) -> [UInt8] {
        guard let box = try? ChaChaPoly.SealedBox(combined: sealed),
            let secret = try? ChaChaPoly.open(box, using: wrap(purpose), authenticating: Array(purpose.utf8))
        else {
            throw Failure(
                description: "the secret of the \(purpose) was sealed with another secret than that in \(source); give "
                    + "the right one in `signing-secret`")
        }
        return Array(secret)
    }

    private func wrap(_ id: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: secret, salt: Array("longshore-signing-seed-1".utf8), info: Array(id.utf8),
            outputByteCount: 32)
    }
}
