import FoundationEssentials
import Hummingbird
import Postgres

/// Owns `webhooks` and `webhook_deliveries`: who wants to hear of what, and what they were not told yet.
struct WebhookStore: Sendable {
    let pool: PostgresPool
    let audit = AuditStore()

    private static let columns: StaticString =
        "webhooks.id, webhooks.name, webhooks.url, webhooks.actions, webhooks.allows_private"

    private static func purpose(_ name: String) -> String { "webhook \(name)" }

    /// Begins with what happens from now on.
    ///
    /// - Throws: 400 for what can't be, 409 if the name is taken.
    func add(
        name: String, url: String, actions: [String], allowsPrivate: Bool, secret: [UInt8], _ seal: KeySeal,
        by actor: Actor
    ) async throws {
        if let problem = Webhook.problem(name: name, url: url, actions: actions, allowsPrivate: allowsPrivate) {
            throw Refusal.badRequest(problem)
        }
        let sealed = try seal.seal(secret, for: Self.purpose(name))
        let end = try await AuditTrail(pool: pool).head().seq
        try await pool.withTransaction { transaction in
            let added = try await transaction.execute(
                """
                INSERT INTO webhooks (name, url, actions, allows_private, sealed_secret, seq)
                VALUES (\(name), \(url), \(actions)::text[], \(allowsPrivate), \(sealed), \(end))
                ON CONFLICT (name) DO NOTHING
                """)
            guard added > 0 else {
                throw Refusal(.conflict, "there is a webhook `\(name)` already; choose another name, or remove it")
            }
            // Not the whole address: with some services its path is the secret.
            let host = try HTTPPost.Target(url).host
            try await note("add", name, ["host": host, "actions": actions.joined(separator: " ")], actor, transaction)
        }
    }

    /// With its dead letters and what waits.
    ///
    /// - Throws: 404 if there is none of this name.
    func remove(_ name: String, by actor: Actor) async throws {
        try await pool.withTransaction { transaction in
            guard try await transaction.execute("DELETE FROM webhooks WHERE name = \(name)") > 0 else {
                throw Self.unknown(name)
            }
            try await note("remove", name, [:], actor, transaction)
        }
    }

    private func note(
        _ verb: String, _ name: String, _ detail: [String: String], _ actor: Actor, _ transaction: Transaction
    ) async throws {
        try await audit.record(
            AuditEntry(
                actor: actor.name, tokenID: actor.tokenID, action: "webhook.\(verb)",
                detail: detail.merging(["webhook": name]) { $1 }), in: transaction)
    }

    static func unknown(_ name: String) -> Refusal {
        .notFound("there is no webhook `\(name)`; `longshore-origin webhook list` shows them all")
    }

    /// How each stands.
    struct Standing: Encodable, Hashable, Sendable {
        let name: String
        let url: String
        let actions: [String]
        let waiting: Int
        let dead: Int
        /// Why the line that was tried last did not arrive; nil: nothing that waits has failed.
        let error: String?
    }

    func list() async throws -> [Standing] {
        try await pool.query(
            """
            SELECT \(literal: Self.columns),
              (SELECT count(*) FROM webhook_deliveries WHERE webhook_id = webhooks.id AND dead_at IS NULL) AS waiting,
              (SELECT count(*) FROM webhook_deliveries WHERE webhook_id = webhooks.id AND dead_at IS NOT NULL) AS dead,
              (SELECT error FROM webhook_deliveries WHERE webhook_id = webhooks.id AND dead_at IS NULL AND error IS NOT NULL
                ORDER BY due_at DESC LIMIT 1) AS error
            FROM webhooks ORDER BY name
            """
        ).map { row in
            Standing(
                name: try row.value("name"), url: try row.value("url"), actions: try row.value("actions"),
                waiting: try row.value("waiting"), dead: try row.value("dead"), error: try row.value("error"))
        }
    }

    /// A line that could not be told.
    struct DeadLetter: Encodable, Hashable, Sendable {
        let webhook: String
        let seq: Int64
        let attempts: Int
        let error: String
        let since: String
    }

    /// The latest first, at most 1000.
    func dead(_ name: String?) async throws -> [DeadLetter] {
        try await pool.query(
            """
            SELECT webhooks.name, webhook_deliveries.seq, attempts, coalesce(error, '') AS error,
              to_char(dead_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since
            FROM webhook_deliveries JOIN webhooks ON webhooks.id = webhook_id
            WHERE dead_at IS NOT NULL AND webhooks.name = coalesce(\(name), webhooks.name)
            ORDER BY dead_at DESC, webhook_deliveries.seq DESC LIMIT 1000
            """
        ).map { row in
            DeadLetter(
                webhook: try row.value("name"), seq: try row.value("seq"), attempts: try row.value("attempts"),
                error: try row.value("error"), since: try row.value("since"))
        }
    }

    /// Gives dead letters another round of tries.
    ///
    /// - Parameter seq: nil: all of the webhook's.
    /// - Returns: how many.
    /// - Throws: 404 if there is no such webhook.
    func retry(_ name: String, seq: Int64?, by actor: Actor) async throws -> Int {
        try await pool.withTransaction { transaction in
            guard let row = try await transaction.query("SELECT id FROM webhooks WHERE name = \(name)").first else {
                throw Self.unknown(name)
            }
            let count = try await transaction.execute(
                """
                UPDATE webhook_deliveries SET dead_at = NULL, attempts = 0, due_at = now()
                WHERE webhook_id = \(row.value("id", as: Int64.self)) AND dead_at IS NOT NULL
                  AND seq = coalesce(\(seq)::bigint, seq)
                """)
            guard count > 0 else { return 0 }
            try await note("retry", name, ["count": "\(count)"], actor, transaction)
            return count
        }
    }
}

// MARK: Deliveries

extension WebhookStore {
    /// One line on its way to one webhook.
    struct Delivery: Sendable {
        let webhook: Webhook
        let secret: [UInt8]
        let seq: Int64
        /// This one included.
        let attempts: Int
    }

    /// Looks through the new lines of the log for what each webhook wants.
    ///
    /// - Returns: true if there may be more.
    func enqueue(from trail: AuditTrail) async throws -> Bool {
        let head = try await trail.head().seq
        return try await pool.withTransaction { transaction in
            // Replicas take one webhook each instead of waiting for each other.
            let rows = try await transaction.query(
                """
                SELECT \(literal: Self.columns), webhooks.seq FROM webhooks
                WHERE seq < \(head) AND \(Webhook.waitingMax) > (
                  SELECT count(*) FROM webhook_deliveries WHERE webhook_id = webhooks.id AND dead_at IS NULL)
                ORDER BY seq LIMIT 1 FOR UPDATE SKIP LOCKED
                """)
            guard let row = rows.first else { return false }
            let webhook = try Self.webhook(row)
            let lines = try await trail.lines(after: row.value("seq"), upTo: head)
            let wanted = lines.filter { webhook.wants($0.action) }.map(\.seq)
            _ = try await transaction.execute(
                """
                INSERT INTO webhook_deliveries (webhook_id, seq) SELECT \(webhook.id), unnest(\(wanted)::bigint[])
                ON CONFLICT DO NOTHING
                """)
            _ = try await transaction.execute(
                "UPDATE webhooks SET seq = \(lines.last?.seq ?? head) WHERE id = \(webhook.id)")
            return true
        }
    }

    /// Takes what is due, for a minute and a half: if this replica dies, another takes it then.
    func claim(_ count: Int, _ seal: KeySeal) async throws -> [Delivery] {
        let rows = try await pool.query(
            """
            UPDATE webhook_deliveries SET due_at = now() + interval '90 seconds', attempts = attempts + 1
            FROM webhooks WHERE webhooks.id = webhook_id AND (webhook_id, webhook_deliveries.seq) IN (
              SELECT webhook_id, seq FROM webhook_deliveries WHERE dead_at IS NULL AND due_at <= now()
              ORDER BY due_at, seq LIMIT \(count) FOR UPDATE SKIP LOCKED)
            RETURNING \(literal: Self.columns), webhooks.sealed_secret, webhook_deliveries.seq, attempts
            """)
        return try rows.map { row in
            let webhook = try Self.webhook(row)
            return Delivery(
                webhook: webhook,
                secret: try seal.open(row.value("sealed_secret"), for: Self.purpose(webhook.name)),
                seq: try row.value("seq"), attempts: try row.value("attempts"))
        }.sorted { $0.seq < $1.seq }
    }

    func delivered(_ delivery: Delivery) async throws {
        _ = try await pool.execute(
            "DELETE FROM webhook_deliveries WHERE webhook_id = \(delivery.webhook.id) AND seq = \(delivery.seq)")
    }

    /// - Parameter pause: seconds until the next try; nil: there is none, it is a dead letter.
    func failed(_ delivery: Delivery, _ error: String, pause: Int?) async throws {
        _ = try await pool.execute(
            """
            UPDATE webhook_deliveries SET error = \(String(AuditStore.plain(error).prefix(500))),
              due_at = now() + make_interval(secs => coalesce(\(pause)::bigint, 0)),
              dead_at = CASE WHEN \(pause)::bigint IS NULL THEN now() END
            WHERE webhook_id = \(delivery.webhook.id) AND seq = \(delivery.seq)
            """)
        guard pause == nil else { return }
        _ = try await pool.execute(
            """
            DELETE FROM webhook_deliveries WHERE (webhook_id, seq) IN (
              SELECT webhook_id, seq FROM webhook_deliveries
              WHERE webhook_id = \(delivery.webhook.id) AND dead_at IS NOT NULL
              ORDER BY seq DESC OFFSET \(Webhook.deadMax))
            """)
    }

    /// The first line that some webhook may still need; nil if there are none.
    func lowest() async throws -> Int64? {
        try await pool.query(
            """
            SELECT least(
              (SELECT min(seq) FROM webhooks), (SELECT min(seq) - 1 FROM webhook_deliveries WHERE dead_at IS NULL)) AS seq
            """
        ).first?.value("seq", as: Int64?.self)
    }

    private static func webhook(_ row: Row) throws -> Webhook {
        Webhook(
            id: try row.value("id"), name: try row.value("name"), url: try row.value("url"),
            actions: try row.value("actions"), allowsPrivate: try row.value("allows_private"))
    }
}
