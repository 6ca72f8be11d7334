import Crypto
package import Registry

/// The public keys that an edge accepts, as the origin publishes them, and the judgement on signed URLs.
///
/// | a URL that …                                            | verdict       |
/// |---------------------------------------------------------|---------------|
/// | is used for anything but reading                        | `method`      |
/// | names no key of the ring; a retired one                 | `unknownKey`, `retiredKey` |
/// | ended more than 30 s ago                                | `expired`     |
/// | ends more than an hour and 30 s from now                | `early`       |
/// | is for another edge                                     | `audience`    |
/// | does not fit its signature                              | `signature`   |
/// | else                                                    | accepted      |
///
/// The signature comes last, because it alone costs time. Source: docs/decisions/0006-signed-urls.md.
package struct KeyRing: Sendable {
    private enum Key {
        case valid(Curve25519.Signing.PublicKey)
        case retired
    }

    /// The origin's list can't be used.
    package struct Invalid: Error, Hashable, CustomStringConvertible {
        package let description: String
    }

    /// What a request does with a URL.
    package enum Use: Sendable { case read, other }

    /// The name by which the origin knows this edge.
    package let edge: String
    private let keys: [String: Key]

    package init(_ list: SigningKeyList) throws(Invalid) {
        var keys: [String: Key] = [:]
        for entry in list.keys {
            if entry.isRetired {
                keys[entry.id] = .retired
                continue
            }
            guard let bytes = Base64URL.bytes(entry.key),
                let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes)
            else { throw Invalid(description: "the signing key `\(entry.id)` is no Ed25519 key") }
            keys[entry.id] = .valid(key)
        }
        edge = list.edge
        self.keys = keys
    }

    /// Lets pass what the origin has signed for this edge and this moment.
    ///
    /// - Parameter now: seconds since 1970.
    /// - Throws: why not.
    package func check(_ url: SignedURL, for use: Use, at now: Int) throws(SignedURL.Refusal) {
        guard use == .read else { throw .method }
        let claims = url.claims
        guard let entry = keys[claims.keyID] else { throw .unknownKey }
        guard case .valid(let key) = entry else { throw .retiredKey }
        guard now <= claims.expires + URLClaims.skewMax else { throw .expired }
        guard claims.expires <= now + URLClaims.lifeMax + URLClaims.skewMax else { throw .early }
        guard claims.audience == URLClaims.anyEdge || claims.audience == edge else { throw .audience }
        guard key.isValidSignature(url.signature, for: claims.canonicalText) else { throw .signature }
    }
}
