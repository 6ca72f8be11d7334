package import Postgres
import Registry
import Signing

/// Owns `signing_keys`. Every change is audited and announced with a `keys` event in its transaction.
package struct SigningKeyStore: Sendable {
    let pool: PostgresPool
    let events: EventLog
    let audit: AuditStore

    package init(pool: PostgresPool, events: EventLog, audit: AuditStore) {
        self.pool = pool
        self.events = events
        self.audit = audit
    }

    /// The key that signs now.
    struct Signer {
        let key: SigningKey
        /// By the database's clock; seconds since 1970.
        let now: Int
        /// The position of the event that tells edges of it, if it was made just now.
        let announced: UInt64?
    }

    private struct Standing {
        var now: Int
        var keys: [SigningKeyRecord]
    }

    /// All keys, the newest first, retired ones too, without secrets.
    package func list() async throws -> [SigningKeyRecord] {
        try await pool.query(
            "SELECT \(literal: SigningKeyRecord.columns) FROM signing_keys ORDER BY active_from DESC, created_at DESC"
        ).map(SigningKeyRecord.init)
    }

    /// What edges are told, and the feed position of the very snapshot that it was read in.
    func published() async throws -> (keys: [SigningKeyRecord], position: UInt64) {
        let rows = try await pool.query(
            """
            SELECT \(literal: EventLog.positionSQL) AS position, \(literal: SigningKeyRecord.columns)
            FROM (SELECT) AS one_row LEFT JOIN signing_keys ON true ORDER BY active_from DESC
            """)
        guard let first = rows.first else { throw FeedDamage.noHead }
        let found = try rows.filter { try $0.value("id", as: String?.self) != nil }.map(SigningKeyRecord.init)
        return (found.filter { !$0.isForgotten }, try first.value("position", as: UInt64.self))
    }

    /// The key that signs now; the very first one is made here.
    func signer(_ seal: KeySeal) async throws -> Signer {
        if let signer = try await Self.signer(seal, in: { try await pool.query($0) }) { return signer }
        return try await pool.withTransaction { transaction in
            try await Self.lock(in: transaction)
            if let signer = try await Self.signer(seal, in: { try await transaction.query($0) }) { return signer }
            let now = try await Self.standing(in: transaction).now
            let key = try await Self.insert(seal, activeFrom: nil, in: transaction)
            let position = try await note("key.make", key.id, by: .rotation, in: transaction)
            return Signer(key: key, now: now, announced: position)
        }
    }

    /// Makes a key that takes over: in a minute, when connected edges have it, or at once.
    ///
    /// Keys that were to take over later are retired, since this one comes instead of them.
    /// - Parameter isNow: for a key that may be in wrong hands: URLs work on an edge as soon as that has the new one.
    package func rotate(_ seal: KeySeal, isNow: Bool, by actor: Actor) async throws -> SigningKeyRecord {
        try await pool.withTransaction { transaction in
            try await Self.lock(in: transaction)
            let standing = try await Self.standing(in: transaction)
            for key in standing.keys where key.retired == nil && key.activeFrom > standing.now {
                try await Self.retire(key.id, in: transaction)
            }
            let hasSigner = KeyPlan.signing(standing.keys.map(\.plan), at: standing.now) != nil
            let activeFrom = isNow || !hasSigner ? nil : standing.now + KeyPlan.aheadByHand
            let key = try await Self.insert(seal, activeFrom: activeFrom, in: transaction)
            let rows = try await transaction.query(
                "SELECT \(literal: SigningKeyRecord.columns) FROM signing_keys WHERE id = \(key.id)")
            guard let row = rows.first else { preconditionFailure("a row that was inserted is there") }
            _ = try await note("key.rotate", key.id, by: actor, in: transaction)
            return try SigningKeyRecord(row)
        }
    }

    /// Ends a key and all that it signed. If no other signs, a new one does at once. Retiring twice changes nothing.
    ///
    /// - Returns: false if it was retired before.
    /// - Throws: 404 if there is no such key.
    package func retire(id: String, _ seal: KeySeal, by actor: Actor) async throws -> Bool {
        try await pool.withTransaction { transaction in
            try await Self.lock(in: transaction)
            let standing = try await Self.standing(in: transaction)
            guard let key = standing.keys.first(where: { $0.id == id }) else {
                throw Refusal.notFound("there is no signing key `\(id)`; `longshore-origin key list` shows them all")
            }
            guard key.retired == nil else { return false }
            try await Self.retire(id, in: transaction)
            let others = standing.keys.filter { $0.id != id }.map(\.plan)
            if KeyPlan.signing(others, at: standing.now) == nil {
                _ = try await Self.insert(seal, activeFrom: nil, in: transaction)
            }
            _ = try await note("key.retire", id, by: actor, in: transaction)
            return true
        }
    }

    /// Takes the steps that are due. Several replicas may try at once: whoever comes later finds nothing to do.
    func keepUp(_ plan: KeyPlan, _ seal: KeySeal) async throws -> [KeyPlan.Step] {
        let standing = try await Self.standing(in: { try await pool.query($0) })
        guard !plan.steps(for: standing.keys.map(\.plan), at: standing.now).isEmpty else { return [] }
        return try await pool.withTransaction { transaction in
            try await Self.lock(in: transaction)
            let standing = try await Self.standing(in: transaction)
            let steps = plan.steps(for: standing.keys.map(\.plan), at: standing.now)
            guard !steps.isEmpty else { return [] }
            for step in steps {
                switch step {
                case .retire(let id):
                    try await Self.retire(id, in: transaction)
                    try await audit(.rotation, "key.retire", id, in: transaction)
                case .make(let activeFrom):
                    let made = try await Self.insert(seal, activeFrom: activeFrom, in: transaction)
                    try await audit(.rotation, "key.make", made.id, in: transaction)
                }
            }
            _ = try await events.append([.keys], in: transaction)
            return steps
        }
    }

    /// Puts into the audit log that somebody made a link for people.
    ///
    /// - Parameter edge: a name, or `*`.
    func noteShare(_ file: DownloadLinks.File, edge: String, life: Int, by actor: Actor) async throws {
        try await pool.withTransaction { transaction in
            try await audit.record(
                AuditEntry(
                    actor: actor.name, tokenID: actor.tokenID, action: "url.create", repository: file.repository.name,
                    crate: file.path.name, version: file.path.version.description,
                    detail: ["edge": edge, "seconds": "\(life)"]),
                in: transaction)
        }
    }

    /// - Throws: `KeySeal.Failure` if a key that signs, or will, can't be opened with this secret.
    func checkSecret(_ seal: KeySeal) async throws {
        let rows = try await pool.query(
            """
            SELECT id, public_key, sealed_seed FROM signing_keys
            WHERE retired_at IS NULL AND active_from >= (
                SELECT coalesce(max(active_from), now()) FROM signing_keys
                WHERE retired_at IS NULL AND active_from <= now())
            """)
        for row in rows { _ = try Self.open(row, seal) }
    }
}

// Statements' times, not `now()`: that is when the transaction began, before it waited for the lock and before the keys
// that others made meanwhile.
extension SigningKeyStore {
    private static func lock(in transaction: Transaction) async throws {
        // Also keeps two replicas from both making the first key: a row lock needs a row.
        _ = try await transaction.execute("LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE")
    }

    private static func signer(
        _ seal: KeySeal, in ask: (Query) async throws -> [Row]
    ) async throws -> Signer? {
        let rows = try await ask(
            """
            SELECT id, public_key, sealed_seed, floor(extract(epoch FROM statement_timestamp()))::bigint AS now
            FROM signing_keys WHERE retired_at IS NULL AND active_from <= statement_timestamp()
            ORDER BY active_from DESC, created_at DESC LIMIT 1
            """)
        guard let row = rows.first else { return nil }
        return Signer(
            key: try open(row, seal), now: try row.value("now", as: Int.self), announced: nil)
    }

    private static func open(_ row: Row, _ seal: KeySeal) throws -> SigningKey {
        try seal.open(
            row.value("sealed_seed", as: [UInt8].self), id: row.value("id", as: String.self),
            publicKey: row.value("public_key", as: [UInt8].self))
    }

    private static func standing(in ask: (Query) async throws -> [Row]) async throws -> Standing {
        let rows = try await ask(
            """
            SELECT floor(extract(epoch FROM statement_timestamp()))::bigint AS now, \(literal: SigningKeyRecord.columns)
            FROM (SELECT) AS one_row LEFT JOIN signing_keys ON true ORDER BY active_from, created_at
            """)
        guard let first = rows.first else { preconditionFailure("a left join with one row gives a row") }
        return Standing(
            now: try first.value("now", as: Int.self),
            keys: try rows.filter { try $0.value("id", as: String?.self) != nil }.map(SigningKeyRecord.init))
    }

    private static func standing(in transaction: Transaction) async throws -> Standing {
        try await standing(in: { try await transaction.query($0) })
    }

    /// - Parameter activeFrom: nil: now, exactly, so that of two keys made in one second the later one signs.
    private static func insert(
        _ seal: KeySeal, activeFrom: Int?, in transaction: Transaction
    ) async throws -> SigningKey {
        let key = SigningKey()
        _ = try await transaction.execute(
            """
            INSERT INTO signing_keys (id, public_key, sealed_seed, active_from)
            VALUES (\(key.id), \(key.publicKey), \(try seal.seal(key)),
                coalesce(to_timestamp(\(activeFrom)::bigint), statement_timestamp()))
            """)
        return key
    }

    private static func retire(_ id: String, in transaction: Transaction) async throws {
        _ = try await transaction.execute(
            "UPDATE signing_keys SET retired_at = now(), sealed_seed = NULL WHERE id = \(id) AND retired_at IS NULL")
    }

    private func note(
        _ action: String, _ id: String, by actor: Actor, in transaction: Transaction
    ) async throws -> UInt64 {
        try await audit(actor, action, id, in: transaction)
        return try await events.append([.keys], in: transaction)
    }

    private func audit(_ actor: Actor, _ action: String, _ id: String, in transaction: Transaction) async throws {
        try await audit.record(
            AuditEntry(actor: actor.name, tokenID: actor.tokenID, action: action, detail: ["key": id]),
            in: transaction)
    }
}
