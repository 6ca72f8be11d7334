import Hummingbird
import Postgres

/// Moves the oldest lines into a file that verifies by itself, and then out of the table.
///
/// The server never does this: its role can't delete lines. It is a command of the operator, who has the role that owns
/// the tables.
struct AuditArchiver: Sendable {
    let trail: AuditTrail
    let keys: AuditKeyStore
    /// Of the role that owns the tables.
    let owner: PostgresPool
    let seal: KeySeal

    /// What went.
    struct Moved: Hashable, Sendable {
        let first: Int64
        let last: Int64
    }

    /// - Parameters:
    ///   - before: lines of this moment and later ones stay.
    ///   - needed: the last line that everybody else has got who reads the log; nil: nobody else does.
    ///   - path: a new file.
    /// - Returns: nil if there is nothing so old, or somebody needs all of it: `held` tells.
    /// - Throws: 409 if the chain is broken where it would be cut, and then nothing has changed.
    func archive(before: AuditTime, needed: Int64?, to path: String) async throws -> Moved? {
        let head = try await trail.head()
        let end = min(try await lastLine(before: before) ?? head.seq, needed ?? .max)
        guard let first = try await trail.lines(after: 0, upTo: end, limit: 1).first else { return nil }
        let file = try WholeFile(path: path)
        var chain = AuditChain()
        chain.resume(at: try await trail.archives().last?.place ?? .start)
        while chain.last.seq < end {
            let page = try await trail.lines(after: chain.last.seq, upTo: end)
            guard !page.isEmpty else { break }
            for line in page {
                chain.follow(line)
                try file.append(line.json + "\n")
            }
        }
        if let problem = chain.problems.first {
            throw Refusal(.conflict, "nothing was archived, since the log is not whole: \(problem)")
        }
        let checkpoint = try await keys.sign(chain.last, seal)
        try file.append(checkpoint.json + "\n")
        try file.keep()
        try await delete(from: first.seq, checkpoint)
        return Moved(first: first.seq, last: checkpoint.seq)
    }

    /// The last line that is old enough; the lines up to it that `needed` keeps in the table, nil if it keeps none.
    func held(before: AuditTime, needed: Int64?) async throws -> ClosedRange<Int64>? {
        let head = try await trail.head()
        let end = try await lastLine(before: before) ?? head.seq
        guard let needed, needed < end, let first = try await trail.lines(after: needed, upTo: end, limit: 1).first
        else {
            return nil
        }
        return first.seq...end
    }

    /// Nil: all are older.
    private func lastLine(before: AuditTime) async throws -> Int64? {
        try await trail.pool.query("SELECT min(seq) - 1 AS seq FROM audit WHERE at >= \(before.text)::timestamptz")
            .first?.value("seq", as: Int64?.self)
    }

    private func delete(from first: Int64, _ checkpoint: AuditCheckpoint) async throws {
        do {
            try await owner.withTransaction { transaction in
                try await transaction.run(script: "SET LOCAL longshore.audit_archive = 'on'")
                let gone = try await transaction.execute("DELETE FROM audit WHERE seq <= \(checkpoint.seq)")
                guard Int64(gone) == checkpoint.seq - first + 1 else {
                    throw Refusal(
                        .conflict, "another archive was made meanwhile; the file is written, but is none: make another")
                }
                _ = try await transaction.execute(
                    """
                    INSERT INTO audit_archives (last_seq, first_seq, checkpoint)
                    VALUES (\(checkpoint.seq), \(first), \(checkpoint.json))
                    """)
                let detail = ["first": "\(first)", "last": "\(checkpoint.seq)", "hash": checkpoint.hash]
                try await AuditStore().record(
                    AuditEntry(actor: Actor.commandLine.name, action: "audit.archive", detail: detail), in: transaction)
            }
        } catch let error as PostgresError where error.sqlState == "42501" {
            throw Refusal.forbidden(
                "the file is written, but this role may not delete lines of the audit log: give that of the tables' owner "
                    + "in `database-owner-url`, and another file")
        }
    }
}
