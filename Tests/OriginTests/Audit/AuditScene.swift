import Foundation
import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

/// An audit log in a real PostgreSQL, whose superuser the test is: the strongest of those who would change it.
struct AuditScene: Sendable {
    let pool: PostgresPool
    let seal: KeySeal

    var trail: AuditTrail { AuditTrail(pool: pool) }
    var keys: AuditKeyStore { AuditKeyStore(pool: pool) }

    static func with(lines: Int = 0, _ body: (AuditScene) async throws -> Void) async throws {
        try await TestDatabase.with { pool, _ in
            let seal = try KeySeal(secret: "a secret of more than twenty characters", source: "the test")
            let scene = AuditScene(pool: pool, seal: seal)
            for number in 0..<lines { try await scene.record("action-\(number)") }
            try await body(scene)
        }
    }

    func record(_ action: String, actor: String = "ann", detail: [String: String] = [:]) async throws {
        try await pool.withTransaction { transaction in
            try await AuditStore().record(
                AuditEntry(
                    actor: actor, tokenID: 7, action: action, repository: try RepositoryName("main"),
                    crate: try CrateName("Foo-bar"), version: "1.0.0", detail: detail), in: transaction)
        }
    }

    /// What `audit verify` finds, as it prints it.
    func problems(
        _ checkpoints: [AuditCheckpoint] = [], keys given: [AuditPublicKey]? = nil, archives: [AuditArchiveFile] = []
    ) async throws -> [String] {
        let trusted: [AuditPublicKey] =
            if let given { given } else { try await keys.publicKeys() }
        return try await AuditVerifier(
            trail: trail, keys: trusted, checkpoints: checkpoints, archives: archives, reads: ReadStore(pool: pool),
            pullDays: 90
        ).run().problems.map(\.description)
    }

    /// A superuser who knows of the triggers.
    func tamper(_ script: String) async throws {
        try await pool.withConnection { session in
            try await session.run(
                script:
                    "BEGIN; ALTER TABLE audit DISABLE TRIGGER USER; \(script); ALTER TABLE audit ENABLE TRIGGER USER; COMMIT"
            )
        }
    }

    /// Writes the hashes from `seq` on anew, as whoever can write the table and reads docs/decisions/0016 could.
    func chainAnew(from seq: Int) async throws {
        try await tamper(
            """
            DO $$
            DECLARE line audit; last bytea;
            BEGIN
                SELECT prev INTO last FROM audit WHERE seq = \(seq);
                FOR line IN SELECT * FROM audit WHERE seq >= \(seq) ORDER BY seq LOOP
                    line.prev := last;
                    last := sha256(convert_to(audit_canonical(line), 'UTF8'));
                    UPDATE audit SET prev = line.prev, hash = last WHERE seq = line.seq;
                END LOOP;
                UPDATE audit_head SET hash = last;
            END $$
            """)
    }
}
