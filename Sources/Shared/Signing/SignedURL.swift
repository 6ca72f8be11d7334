package import Registry

/// Claims with their signature, as they stand in a URL:
/// `/main/crates/serde/1.0.217/{sha256}.crate?ls-exp=…&ls-kid=…&ls-aud=…&ls-sub=…&ls-sig=…`.
///
/// There is one spelling: these five parameters, once each, in this order, nothing percent-encoded, and a path that
/// we would have written ourselves. Reading is strict, so that no two parts on the way can understand a URL
/// differently. A value of this type was read, not checked: `KeyRing` says whether it opens anything.
/// Source: docs/decisions/0006-signed-urls.md.
package struct SignedURL: Hashable, Sendable {
    package static let pathBytesMax = 1024
    package static let queryBytesMax = 512
    /// Edges refuse later ones as too far away, long before this number of digits.
    private static let expiryDigitsMax = 11

    package let claims: URLClaims
    /// 64 bytes of Ed25519.
    package let signature: [UInt8]

    init(claims: URLClaims, signature: [UInt8]) {
        self.claims = claims
        self.signature = signature
    }

    /// Path and query, to be appended to an edge's address.
    package var target: String { "\(claims.path)?\(query)" }

    package var query: String {
        let values = [
            "\(claims.expires)", claims.keyID, claims.audience, "\(claims.subject)", Base64URL.text(signature),
        ]
        return zip(Parameter.allCases, values).map { "\($0.rawValue)=\($1)" }.joined(separator: "&")
    }

    /// Whether a request wants to be judged by a signature: some parameter begins with `ls-`, in upper or lower case.
    package static func isMeant(by query: String) -> Bool {
        query.split(separator: "&").contains { $0.prefix(3).lowercased() == "ls-" }
    }

    /// Reads a request's target.
    ///
    /// - Parameters:
    ///   - path: as it came, not decoded.
    ///   - query: what follows `?`, as it came.
    /// - Throws: the first thing that is wrong; the words repeat nothing of the request.
    package init(path: String, query: String) throws(Refusal) {
        guard path.utf8.count <= Self.pathBytesMax, query.utf8.count <= Self.queryBytesMax else { throw .tooLong }
        guard Self.isCanonical(path) else { throw .path }
        let values = try Self.values(query)
        guard let expires = Int(values[0]), "\(expires)" == values[0], expires > 0,
            values[0].utf8.count <= Self.expiryDigitsMax
        else { throw .value(.expires) }
        guard values[1].isPlainWord(upTo: 32) else { throw .value(.keyID) }
        guard values[2] == URLClaims.anyEdge || values[2].isPlainWord(upTo: 64) else { throw .value(.audience) }
        guard let subject = URLClaims.Subject(parsing: values[3]) else { throw .value(.subject) }
        guard let signature = Base64URL.bytes(values[4]), signature.count == 64 else { throw .value(.signature) }
        self.init(
            claims: URLClaims(
                path: path, expires: expires, keyID: values[1], audience: values[2], subject: subject),
            signature: signature)
    }

    /// The values in the order of `Parameter`.
    private static func values(_ query: String) throws(Refusal) -> [String] {
        var found: [(parameter: Parameter, value: String)] = []
        for part in query.split(separator: "&", omittingEmptySubsequences: false) {
            let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2, let parameter = Parameter(rawValue: String(halves[0])) else {
                throw .foreignParameter
            }
            guard !found.contains(where: { $0.parameter == parameter }) else { throw .repeated(parameter) }
            found.append((parameter, String(halves[1])))
        }
        for parameter in Parameter.allCases where !found.contains(where: { $0.parameter == parameter }) {
            throw .missing(parameter)
        }
        guard found.map(\.parameter) == Parameter.allCases else { throw .order }
        return found.map(\.value)
    }

    private static func isCanonical(_ path: String) -> Bool {
        let tail = path.dropFirst()
        guard path.utf8.first == UInt8(ascii: "/"), let end = tail.firstIndex(of: "/"),
            tail[end...].hasPrefix("/crates/"), let repository = try? RepositoryName(String(tail[..<end])),
            let file = CratePath(parsing: tail[end...].dropFirst("/crates/".count))
        else { return false }
        // Bytes, because texts that Unicode calls equal are not the same path.
        return URLClaims.path(repository, file).utf8.elementsEqual(path.utf8)
    }
}

extension SignedURL {
    /// The five parameters, in the order in which they stand.
    package enum Parameter: String, Hashable, Sendable, CaseIterable {
        case expires = "ls-exp"
        case keyID = "ls-kid"
        case audience = "ls-aud"
        case subject = "ls-sub"
        case signature = "ls-sig"
    }

    /// Why a signed URL opens nothing; one sentence for the person who runs cargo.
    package enum Refusal: Error, Hashable, Sendable, CustomStringConvertible {
        case tooLong, path, foreignParameter, order
        case repeated(Parameter), missing(Parameter), value(Parameter)
        case method, unknownKey, retiredKey, expired, early, audience, signature
        /// The token on whose behalf it was made was revoked or changed since.
        case endedToken

        package var description: String { "this signed URL \(reason); \(nextStep)" }

        /// One word, for metrics: what was spoiled on the way or made up is all `malformed`.
        package var word: String {
            switch self {
            case .tooLong, .path, .foreignParameter, .order, .repeated, .missing, .value: "malformed"
            case .method: "method"
            case .unknownKey: "unknown-key"
            case .retiredKey: "retired-key"
            case .expired: "expired"
            case .early: "early"
            case .audience: "audience"
            case .signature: "signature"
            case .endedToken: "ended-token"
            }
        }

        private var reason: String {
            switch self {
            case .tooLong: "is longer than any that was made here"
            case .path: "has a path that does not name a file in the one way that was signed"
            case .foreignParameter: "has a parameter that does not belong there"
            case .order: "has its parameters in another order than they were signed in"
            case .repeated(let parameter): "has `\(parameter.rawValue)` twice"
            case .missing(let parameter): "has no `\(parameter.rawValue)`"
            case .value(let parameter): "has a value of `\(parameter.rawValue)` that was not made here"
            case .method: "allows reading only"
            case .unknownKey: "names a key that this edge does not know"
            case .retiredKey: "was signed with a key that is retired"
            case .expired: "has expired"
            case .early: "expires later than any that was made here"
            case .audience: "was made for another edge"
            case .signature: "does not fit its signature"
            case .endedToken: "was made for a token that was changed or revoked since"
            }
        }

        private var nextStep: String {
            switch self {
            case .tooLong, .path, .foreignParameter, .order, .repeated, .missing, .value, .signature:
                "use it exactly as it was handed out, or ask for a new one"
            case .method: "publish and yank through the registry's own address"
            case .early: "compare the clocks of origin and edge, then ask for a new one"
            case .unknownKey, .retiredKey, .expired, .audience, .endedToken:
                "start the download again at the registry's own address, or ask for a new link"
            }
        }
    }
}
