/// How much of other transactions a transaction sees.
package enum Isolation: String, Sendable {
    case readCommitted = "READ COMMITTED"
    case repeatableRead = "REPEATABLE READ"
    case serializable = "SERIALIZABLE"
}

/// An open transaction. Works until the closure that it was handed to returns.
package struct Transaction: Sendable {
    private let session: PostgresSession

    fileprivate init(_ session: PostgresSession) { self.session = session }

    /// Runs a statement.
    package func query(_ query: Query) async throws -> [Row] { try await session.query(query) }

    /// Runs a statement.
    ///
    /// - Returns: how many rows it changed.
    package func execute(_ query: Query) async throws -> Int { try await session.execute(query) }

    /// Runs any number of statements without parameters, parted by semicolons.
    package func run(script: String) async throws { try await session.run(script: script) }
}

extension PostgresPool {
    /// Runs `body` in a transaction, which commits when `body` returns and rolls back when it throws.
    ///
    /// After a serialization failure (40001), a deadlock (40P01) or a connection that broke before COMMIT, nothing has
    /// happened and `body` is run again, with random growing pauses, `transactionAttemptsMax` times in all: it must be
    /// able to run twice.
    ///
    /// - Throws: what `body` throws; `commitOutcomeUnknown` if the connection broke during COMMIT, never retried.
    package func withTransaction<Answer>(
        isolation: Isolation = .readCommitted, readOnly: Bool = false, _ body: (Transaction) async throws -> Answer
    ) async throws -> Answer {
        var backoff = Backoff(first: .milliseconds(5), most: .milliseconds(500))
        var attempt = 1
        while true {
            do {
                return try await withSession { session in
                    try await session.transaction(isolation, readOnly, body)
                }
            } catch let error as PostgresError where mayRetry(error, attempt) {
                attempt += 1
                noteRetry()
                try await Task.sleep(for: backoff.next())
            }
        }
    }

    private func mayRetry(_ error: PostgresError, _ attempt: Int) -> Bool {
        attempt < configuration.transactionAttemptsMax && (error.isTransient || error.kind == .connectionLost)
    }
}

extension PostgresSession {
    /// One attempt at a transaction on this session, never repeated here.
    package func transaction<Answer>(
        _ isolation: Isolation = .readCommitted, _ readOnly: Bool = false,
        _ body: (Transaction) async throws -> Answer
    ) async throws -> Answer {
        try await run(script: "BEGIN ISOLATION LEVEL \(isolation.rawValue)\(readOnly ? " READ ONLY" : "")")
        let answer: Answer
        do {
            answer = try await body(Transaction(self))
        } catch {
            // If this fails the connection is closed when it is given back; what `body` met is what counts.
            _ = try? await run(.script("ROLLBACK"), isCancellable: false)
            throw error
        }
        try await commit()
        return answer
    }

    private func commit() async throws {
        let answer: PostgresResult
        do { answer = try await run(.script("COMMIT"), isCancellable: false) } catch let error as PostgresError
            where error.kind == .connectionLost
        {
            throw error.duringCommit
        }
        // A transaction in which a statement failed, unnoticed by `body`, answers COMMIT with ROLLBACK and no error.
        guard answer.command == "COMMIT" else {
            throw PostgresError(.refused, "the transaction had failed before COMMIT and was rolled back")
        }
    }
}
