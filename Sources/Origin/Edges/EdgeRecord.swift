import Postgres

/// An edge as its row says, without anything secret. Times are RFC 3339 in UTC with whole seconds.
package struct EdgeRecord: Hashable, Sendable, Encodable {
    package let name: String
    package let region: String
    /// The public address that it last reported.
    package let url: String?
    package let created: String
    /// When it last connected to the feed.
    package let seen: String?
    package let revoked: String?

    static let columns: StaticString = """
        name, region, public_url,
        to_char(created_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS created,
        to_char(seen_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS seen,
        to_char(revoked_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS revoked
        """

    init(_ row: Row) throws {
        name = try row.value("name", as: String.self)
        region = try row.value("region", as: String.self)
        url = try row.value("public_url", as: String?.self)
        created = try row.value("created", as: String.self)
        seen = try row.value("seen", as: String?.self)
        revoked = try row.value("revoked", as: String?.self)
    }

    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.unicodeScalars.allSatisfy {
                ("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("0"..."9").contains($0) || $0 == "-"
                    || $0 == "_"
            }
    }
}
