import FoundationEssentials
import Hummingbird
package import Postgres
package import Registry
package import Signing

/// Owns `edges`: join credentials, known by their hash only, and what each edge last reported of itself.
package struct EdgeStore: Sendable {
    let pool: PostgresPool
    let events: EventLog
    let audit: AuditStore

    package init(pool: PostgresPool, events: EventLog, audit: AuditStore) {
        self.pool = pool
        self.events = events
        self.audit = audit
    }

    /// Makes an edge with its join credential.
    ///
    /// - Parameter name: 1 to 64 letters, digits, `-` or `_`; goes into `x-served-by` and logs.
    /// - Returns: the record, and the credential: show it once, keep it nowhere.
    /// - Throws: 400 for a bad name, 409 if the name is taken, by a revoked edge too: logs and audit speak of it.
    package func create(
        name: String, region: String, by actor: Actor
    ) async throws -> (record: EdgeRecord, secret: SecretToken) {
        guard EdgeRecord.isName(name), region.utf8.count <= 64 else {
            throw Refusal.badRequest("`\(name)` is no name for an edge: use 1 to 64 letters, digits, `-` or `_`")
        }
        let secret = SecretToken(kind: .edge)
        let record = try await pool.withTransaction { transaction in
            let rows = try await transaction.query(
                """
                INSERT INTO edges (name, region, hash) VALUES (\(name), \(region), \(secret.hash.bytes))
                ON CONFLICT (name) DO NOTHING RETURNING \(literal: EdgeRecord.columns)
                """)
            guard let row = rows.first else {
                throw Refusal(.conflict, "there is an edge `\(name)` already; choose another name")
            }
            try await announce("edge.create", name, by: actor, in: transaction)
            return try EdgeRecord(row)
        }
        return (record, secret)
    }

    /// All edges, revoked ones too, without secrets.
    package func list() async throws -> [EdgeRecord] {
        try await pool.query("SELECT \(literal: EdgeRecord.columns) FROM edges ORDER BY name").map(EdgeRecord.init)
    }

    /// Where clients reach each edge that has said so, by name; without revoked ones.
    ///
    /// - Parameter connected: the ids of those that are connected (`ReplicaBoard.connections`): only they can be chosen.
    ///   The others count for whether an address is shared: DNS leads to them on.
    package func places(connected: Set<Int64>) async throws -> [EdgePlace] {
        try await pool.query(
            """
            SELECT name, region, public_url, report->>'url' AS own_url, id = ANY(\(Array(connected))) AS is_connected
            FROM edges WHERE revoked_at IS NULL AND public_url IS NOT NULL ORDER BY name
            """
        ).map { row in
            EdgePlace(
                name: try row.value("name", as: String.self), region: try row.value("region", as: String.self),
                publicURL: try row.value("public_url", as: String.self),
                ownURL: try row.value("own_url", as: String?.self),
                isConnected: try row.value("is_connected", as: Bool.self))
        }
    }

    /// Ends an edge's credential; its feed is cut and it hears nothing any more. Revoking twice changes nothing.
    ///
    /// - Throws: 404 if there is no such edge.
    package func revoke(name: String, by actor: Actor) async throws {
        try await pool.withTransaction { transaction in
            let changed = try await transaction.execute(
                "UPDATE edges SET revoked_at = now() WHERE name = \(name) AND revoked_at IS NULL")
            if changed > 0 {
                try await announce("edge.revoke", name, by: actor, in: transaction)
            } else if try await transaction.query("SELECT 1 FROM edges WHERE name = \(name)").isEmpty {
                throw Refusal.notFound("there is no edge `\(name)`")
            }
        }
    }

    /// Who holds the credential of this hash; anonymous if nobody does.
    package func principal(hash: Checksum) async throws -> Principal {
        let rows = try await pool.query(
            "SELECT id, name, revoked_at IS NOT NULL AS is_revoked FROM edges WHERE hash = \(hash.bytes)")
        guard let row = rows.first else { return .rejected(.unknown) }
        guard try !row.value("is_revoked", as: Bool.self) else { return .rejected(.revoked) }
        return .edge(
            EdgeHolder(edgeID: try row.value("id", as: Int64.self), name: try row.value("name", as: String.self)))
    }

    /// Is the credential that this edge came with still good?
    func isValid(_ edge: EdgeHolder) async throws -> Bool {
        try await !pool.query("SELECT 1 FROM edges WHERE id = \(edge.edgeID) AND revoked_at IS NULL").isEmpty
    }

    /// Notes that the edge is connected, and the public address that it reported.
    func saw(_ edge: EdgeHolder, publicURL: String?) async throws {
        _ = try await pool.execute(
            """
            UPDATE edges SET seen_at = now(), public_url = coalesce(\(publicURL), public_url)
            WHERE id = \(edge.edgeID)
            """)
    }

    /// Keeps what an edge says of itself in place of what it said before.
    func reported(_ edge: EdgeHolder, _ report: EdgeReport) async throws {
        let text = String(decoding: try JSONEncoder().encode(report), as: UTF8.self)
        _ = try await pool.execute(
            """
            UPDATE edges SET report = \(text)::jsonb, reported_at = now(), seen_at = now(),
              public_url = \(report.publicURL)
            WHERE id = \(edge.edgeID)
            """)
    }

    /// Notes that these edges are still connected.
    func areConnected(_ ids: [Int64]) async throws {
        guard !ids.isEmpty else { return }
        _ = try await pool.execute("UPDATE edges SET seen_at = now() WHERE id = ANY(\(ids))")
    }

    private func announce(_ action: String, _ name: String, by actor: Actor, in transaction: Transaction) async throws {
        try await audit.record(
            AuditEntry(actor: actor.name, tokenID: actor.tokenID, action: action, detail: ["edge": name]),
            in: transaction)
        _ = try await events.append([.edges], in: transaction)
    }
}
