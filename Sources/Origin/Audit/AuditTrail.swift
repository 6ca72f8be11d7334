import Postgres

/// Reads the audit log as it stands.
struct AuditTrail: Sendable {
    let pool: PostgresPool

    /// Lines that one question brings at most.
    static let pageMax = 1000

    /// The last line that was written, wherever it is now.
    func head() async throws -> AuditChain.Place {
        let rows = try await pool.query("SELECT seq, encode(hash, 'hex') AS hash FROM audit_head")
        guard let row = rows.first else { throw AuditDamage.noHead }
        return AuditChain.Place(seq: try row.value("seq"), hash: try row.value("hash"))
    }

    /// In order, from the one behind `seq` on.
    ///
    /// - Parameter last: none behind this one; the head's, so that what is written meanwhile does not come.
    func lines(after seq: Int64, upTo last: Int64, limit: Int = pageMax) async throws -> [AuditLine] {
        try await pool.query(
            """
            SELECT \(literal: AuditLine.columns) FROM audit WHERE seq > \(seq) AND seq <= \(last)
            ORDER BY seq LIMIT \(limit)
            """
        ).map(AuditLine.init)
    }

    /// The signed last lines of archives, in order.
    func archives() async throws -> [AuditCheckpoint] {
        try await pool.query("SELECT checkpoint FROM audit_archives ORDER BY last_seq").map {
            try AuditCheckpoint(parsing: try $0.value("checkpoint"))
        }
    }
}
