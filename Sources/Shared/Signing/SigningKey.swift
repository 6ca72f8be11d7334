import Crypto

/// A private key of the origin; edges never see one (I12).
///
/// Never prints itself: the seed is shown in no log, dump or debugger.
package struct SigningKey: Sendable, CustomStringConvertible, CustomReflectable {
    package let id: String
    private let key: Curve25519.Signing.PrivateKey

    /// Makes a new one, under a random id of 10 lower-case letters and digits after a `k`.
    package init() {
        let digits = Array("0123456789abcdefghijklmnopqrstuvwxyz")
        var generator = SystemRandomNumberGenerator()
        let name = (0..<10).map { _ in digits[Int.random(in: digits.indices, using: &generator)] }
        id = "k" + String(name)
        key = Curve25519.Signing.PrivateKey()
    }

    /// - Returns: nil unless `seed` has 32 bytes.
    package init?(id: String, seed: [UInt8]) {
        guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else { return nil }
        self.id = id
        self.key = key
    }

    /// The 32 bytes that the key is made from: keep them sealed.
    package var seed: [UInt8] { Array(key.rawRepresentation) }
    /// 32 bytes, for everybody.
    package var publicKey: [UInt8] { Array(key.publicKey.rawRepresentation) }

    /// Signs a URL of at most an hour's life.
    ///
    /// - Throws: only what the crypto library does when it is broken.
    package func sign(
        _ path: String, expires: Int, audience: String, subject: URLClaims.Subject
    ) throws -> SignedURL {
        let claims = URLClaims(path: path, expires: expires, keyID: id, audience: audience, subject: subject)
        return SignedURL(claims: claims, signature: Array(try key.signature(for: claims.canonicalText)))
    }

    package var description: String { "the signing key \(id)" }
    /// Has no children, so that `dump` and debuggers show nothing.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
