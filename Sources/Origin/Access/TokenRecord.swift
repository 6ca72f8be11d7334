import FoundationEssentials
import Postgres
package import Registry

/// A token as its row says, without anything secret. Times are RFC 3339 in UTC with whole seconds.
package struct TokenRecord: Hashable, Sendable, Encodable {
    package let id: Int64
    package let name: String
    package let login: String
    package let grants: [Grant]
    package let created: String
    package let expires: String?
    package let revoked: String?

    let userID: Int32
    /// Seconds since 1970.
    let expiresSeconds: Int?
    /// By the database's clock, the one that all replicas share.
    let isExpired: Bool

    private enum CodingKeys: String, CodingKey { case id, name, login, grants, created, expires, revoked }

    package var holder: TokenHolder {
        TokenHolder(
            tokenID: id, tokenName: name, userID: userID, login: login, grants: grants, expires: expiresSeconds)
    }

    /// What `init(_: Row)` reads, from `tokens` joined with `users`.
    static let columns: StaticString = """
        tokens.id, tokens.name, users.login, tokens.user_id, tokens.grants,
        to_char(tokens.created_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS created,
        to_char(tokens.expires_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS expires,
        to_char(tokens.revoked_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS revoked,
        floor(extract(epoch FROM tokens.expires_at))::bigint AS expires_seconds,
        coalesce(tokens.expires_at <= now(), false) AS is_expired
        """

    init(_ row: Row) throws {
        id = try row.value("id", as: Int64.self)
        name = try row.value("name", as: String.self)
        login = try row.value("login", as: String.self)
        userID = try row.value("user_id", as: Int32.self)
        grants = try JSONDecoder().decode([Grant].self, from: Data(try row.value("grants", as: String.self).utf8))
        created = try row.value("created", as: String.self)
        expires = try row.value("expires", as: String?.self)
        revoked = try row.value("revoked", as: String?.self)
        expiresSeconds = try row.value("expires_seconds", as: Int?.self)
        isExpired = try row.value("is_expired", as: Bool.self)
    }
}
