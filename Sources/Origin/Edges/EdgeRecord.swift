import FoundationEssentials
import Postgres
package import Registry

/// An edge as its row says, without anything secret. Times are RFC 3339 in UTC with whole seconds.
package struct EdgeRecord: Hashable, Sendable {
    package let id: Int64
    package let name: String
    package let region: String
    /// What it last reported of itself, and when; nil for an edge that has not.
    package let report: EdgeReport?
    package let reported: String?
    /// The public address that it named when it last connected.
    package let publicURL: String?
    package let created: String
    /// When it was last connected to the feed, or reported.
    package let seen: String?
    package let revoked: String?

    static let columns: StaticString = """
        id, name, region, public_url, report::text AS report,
        to_char(reported_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS reported,
        to_char(created_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS created,
        to_char(seen_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS seen,
        to_char(revoked_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS revoked
        """

    init(_ row: Row) throws {
        id = try row.value("id", as: Int64.self)
        name = try row.value("name", as: String.self)
        region = try row.value("region", as: String.self)
        // The shape of another version counts as none: the edge reports anew within seconds.
        report = try row.value("report", as: String?.self).flatMap {
            try? JSONDecoder().decode(EdgeReport.self, from: Data($0.utf8))
        }
        reported = try row.value("reported", as: String?.self)
        publicURL = try row.value("public_url", as: String?.self)
        created = try row.value("created", as: String.self)
        seen = try row.value("seen", as: String?.self)
        revoked = try row.value("revoked", as: String?.self)
    }

    /// Where this edge itself is reached, as far as it has said so.
    package var url: String? { report?.url ?? publicURL }

    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.unicodeScalars.allSatisfy {
                ("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("0"..."9").contains($0) || $0 == "-"
                    || $0 == "_"
            }
    }
}
