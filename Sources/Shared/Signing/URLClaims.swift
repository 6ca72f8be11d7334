package import Registry

/// What a signed URL says: which file, until when, for which edge, on whose behalf.
///
/// Source: docs/decisions/0006-signed-urls.md.
package struct URLClaims: Hashable, Sendable {
    /// The longest life that a URL may have, in seconds.
    package static let lifeMax = 3600
    /// The life of a URL that nothing else is said of, in seconds.
    package static let lifeUsual = 300
    /// How far the clocks of origin and edge may be apart, in seconds.
    package static let skewMax = 30

    /// On whose behalf a URL was made.
    package enum Subject: Hashable, Sendable {
        /// Nobody's token: a share link, or a public repository. Ends with its expiry or its key.
        case nobody
        /// The token of this id, as it stood at this position of the feed: a later `token` event ends the URL.
        case token(String, asOf: UInt64)
    }

    /// `/{repository}/crates/{name}/{version}/{sha256}.crate`, decoded, without the base of the edge's address.
    package let path: String
    /// Seconds since 1970.
    package let expires: Int
    package let keyID: String
    /// The name of the one edge that may serve it; `*`: any.
    package let audience: String
    package let subject: Subject

    package init(path: String, expires: Int, keyID: String, audience: String, subject: Subject) {
        self.path = path
        self.expires = expires
        self.keyID = keyID
        self.audience = audience
        self.subject = subject
    }

    /// The path of a download as signatures cover it.
    package static func path(_ repository: RepositoryName, _ file: CratePath) -> String {
        "/\(repository)/crates/\(file)"
    }

    package static let anyEdge = "*"

    /// What is signed: a version tag, the method class and the claims, one a line. No claim can hold a line feed.
    var canonicalText: [UInt8] {
        Array(
            """
            longshore-url-1
            read
            \(path)
            \(expires)
            \(keyID)
            \(audience)
            \(subject)

            """.utf8)
    }
}

extension URLClaims.Subject: CustomStringConvertible {
    /// `-`, or `17.1042`: token 17 as of position 1042.
    package var description: String {
        switch self {
        case .nobody: "-"
        case .token(let id, let position): "\(id).\(position)"
        }
    }

    /// - Returns: nil for anything that `description` would not have written.
    init?(parsing text: String) {
        guard text != "-" else {
            self = .nobody
            return
        }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] != "-", String(parts[0]).isPlainWord(upTo: 64), let position = UInt64(parts[1])
        else { return nil }
        self = .token(String(parts[0]), asOf: position)
        guard description == text else { return nil }
    }
}

extension String {
    /// 1 to `count` letters, digits, `-` or `_`, all ASCII.
    func isPlainWord(upTo count: Int) -> Bool {
        (1...count).contains(utf8.count)
            && utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
