/// What an edge refused by itself, summed up: how often the same somebody was kept from the same thing for the same reason.
///
/// Travels in an `AccessBatch`, and becomes a line of the origin's audit log.
/// Source: docs/EVENTS.md, "The access log".
package struct AccessRefusal: Codable, Hashable, Sendable {
    /// Seconds since 1970, by the edge's clock.
    package var first: Int
    package var last: Int
    package var count: Int
    /// Why, in one word: a rule of the policy if there is a crate, else one of `Rule`.
    package var rule: String
    package var repository: String?
    /// What the policy withholds, as the download's address spells it.
    package var crate: String?
    package var version: String?
    /// The client's, as the edge saw it.
    package var address: String?
    /// The token's id, where the edge knows it.
    package var subject: String?
    /// The hash of a secret that the edge can't name, 64 hex digits: the origin may know whose it was.
    package var sha256: String?
    /// Of the first of them, as an example: its id in the edge's log, its method and path, and what the client read.
    package var request: String?
    package var path: String?
    package var reason: String?

    package init(first: Int, last: Int, count: Int, rule: String) {
        self.first = first
        self.last = last
        self.count = count
        self.rule = rule
    }

    /// Words that origin and edge share, so that one filter of the audit log finds both.
    package enum Rule {
        package static let noToken = "no-token"
        package static let tokenMalformed = "token-malformed"
        package static let tokenUnknown = "token-unknown"
        package static let tokenExpired = "token-expired"
        package static let tokenRevoked = "token-revoked"
        package static let notAllowed = "not-allowed"
        /// Before the word of what is wrong with it.
        package static let signedURL = "signed-url-"
        /// A version that policy withholds, by a rule whose name the edge was not told.
        package static let policy = "policy"
        /// What had no room for a line of its own: counted, without names.
        package static let overTheLimit = "over-the-limit"
    }
}
