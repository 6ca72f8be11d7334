import Postgres

/// A signing key as its row says, without its private half. Times are RFC 3339 in UTC with whole seconds.
package struct SigningKeyRecord: Hashable, Sendable, Encodable {
    package let id: String
    package let created: String
    package let active: String
    package let retired: String?

    let publicKey: [UInt8]
    /// Seconds since 1970.
    let activeFrom: Int
    /// Retired so long ago that edges need not hear of it any more.
    let isForgotten: Bool

    private enum CodingKeys: String, CodingKey { case id, created, active, retired }

    var plan: KeyPlan.Key { KeyPlan.Key(id: id, activeFrom: activeFrom, isRetired: retired != nil) }

    static let columns: StaticString = """
        id, public_key, floor(extract(epoch FROM active_from))::bigint AS active_seconds,
        to_char(created_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS created,
        to_char(active_from, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS active,
        to_char(retired_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS retired,
        coalesce(retired_at < now() - interval '7 days', false) AS is_forgotten
        """

    init(_ row: Row) throws {
        id = try row.value("id", as: String.self)
        publicKey = try row.value("public_key", as: [UInt8].self)
        activeFrom = try row.value("active_seconds", as: Int.self)
        created = try row.value("created", as: String.self)
        active = try row.value("active", as: String.self)
        retired = try row.value("retired", as: String?.self)
        isForgotten = try row.value("is_forgotten", as: Bool.self)
    }
}
