import FoundationEssentials
import Postgres
import Signing

/// Owns `audit_keys`: the keys that sign checkpoints. The first is made when it is first needed.
struct AuditKeyStore: Sendable {
    let pool: PostgresPool
    let audit = AuditStore()

    /// What everybody may know of a key.
    struct Record: Encodable, Hashable, Sendable {
        let id: String
        /// base64url; keep it with the checkpoints, outside.
        let publicKey: String
        let created: String

        private enum CodingKeys: String, CodingKey {
            case id, created
            case publicKey = "public_key"
        }
    }

    /// The newest first.
    func list() async throws -> [Record] {
        try await pool.query(
            """
            SELECT id, public_key, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS created
            FROM audit_keys ORDER BY created_at DESC, id
            """
        ).map { row in
            Record(
                id: try row.value("id"), publicKey: Base64URL.text(try row.value("public_key")),
                created: try row.value("created"))
        }
    }

    /// For `verify` without keys from outside.
    func publicKeys() async throws -> [AuditPublicKey] {
        try await list().compactMap { AuditPublicKey(text: $0.publicKey) }
    }

    /// Makes a new key, which signs from now on; the public halves of the others stay.
    func make(_ seal: KeySeal, by actor: Actor) async throws {
        try await pool.withTransaction { _ = try await insert(seal, by: actor, in: $0) }
    }

    /// Signs the end of the chain as it stands.
    ///
    /// - Throws: `KeySeal.Failure` if the key was sealed with another secret.
    func checkpoint(_ seal: KeySeal) async throws -> AuditCheckpoint {
        let key = try await signer(seal)
        let rows = try await pool.query(
            """
            SELECT seq, encode(hash, 'hex') AS hash,
              to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at
            FROM audit_head
            """)
        guard let row = rows.first else { throw AuditDamage.noHead }
        let place = AuditChain.Place(seq: try row.value("seq"), hash: try row.value("hash"))
        return try AuditCheckpoint(place, at: try row.value("at"), signedBy: key)
    }

    /// Signs a place that was just verified.
    func sign(_ place: AuditChain.Place, _ seal: KeySeal) async throws -> AuditCheckpoint {
        let key = try await signer(seal)
        let rows = try await pool.query(
            "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS at")
        return try AuditCheckpoint(place, at: try rows.first?.value("at") ?? "", signedBy: key)
    }

    /// The key that signs now; the very first is made here.
    func signer(_ seal: KeySeal) async throws -> AuditKey {
        if let key = try await newest(seal, { try await pool.query($0) }) { return key }
        return try await pool.withTransaction { transaction in
            // Of two replicas that look at once one makes the key; the table's own lock would need more rights.
            _ = try await transaction.query("SELECT pg_advisory_xact_lock(\(Self.lockKey))")
            if let key = try await newest(seal, { try await transaction.query($0) }) { return key }
            return try await insert(seal, by: .origin, in: transaction)
        }
    }

    // The ASCII codes of "auditkey".
    private static let lockKey: Int64 = 0x6175_6469_746b_6579

    private func newest(_ seal: KeySeal, _ ask: (Query) async throws -> [Row]) async throws -> AuditKey? {
        let rows = try await ask(
            "SELECT id, sealed_seed FROM audit_keys ORDER BY created_at DESC, id LIMIT 1")
        guard let row = rows.first else { return nil }
        let id = try row.value("id", as: String.self)
        return AuditKey(id: id, seed: try seal.open(row.value("sealed_seed"), for: Self.purpose(id)))
    }

    private func insert(_ seal: KeySeal, by actor: Actor, in transaction: Transaction) async throws -> AuditKey {
        let key = AuditKey()
        _ = try await transaction.execute(
            """
            INSERT INTO audit_keys (id, public_key, sealed_seed)
            VALUES (\(key.id), \(key.publicKey), \(try seal.seal(key.seed, for: Self.purpose(key.id))))
            """)
        let detail = ["key": key.id, "public_key": Base64URL.text(key.publicKey)]
        try await audit.record(
            AuditEntry(actor: actor.name, tokenID: actor.tokenID, action: "audit.key", detail: detail),
            in: transaction)
        return key
    }

    private static func purpose(_ id: String) -> String { "audit key \(id)" }
}

/// The audit log's tables are not what the program left there.
enum AuditDamage: Error, Hashable, CustomStringConvertible {
    case noHead

    var description: String {
        "the table audit_head has no row, so nothing can be recorded or changed; was the database restored without its "
            + "data? Restore it whole"
    }
}
