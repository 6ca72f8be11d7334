import Synchronization

/// A leased connection. Works until the closure that it was handed to returns; later calls throw `closed`.
///
/// Statements of concurrent tasks run one after the other.
package final class PostgresSession: Sendable {
    private let connection: Mutex<Connection?>

    init(_ connection: Connection) { self.connection = Mutex(connection) }

    /// Runs a statement.
    package func query(_ query: Query) async throws -> [Row] { try await run(.query(query)).rows }

    /// Runs a statement.
    ///
    /// - Returns: how many rows it changed.
    package func execute(_ query: Query) async throws -> Int { try await run(.query(query)).rowsAffected }

    /// Runs any number of statements without parameters, parted by semicolons, as a migration holds them.
    package func run(script: String) async throws { _ = try await run(.script(script)) }

    /// Ends the connection instead of giving it back.
    func close() { connection.withLock { $0?.close() } }

    /// - Returns: the connection, the first time.
    func end() -> Connection? { connection.withLock { $0.take() } }

    func run(_ command: Job.Command, isCancellable: Bool = true) async throws -> PostgresResult {
        guard let leased = connection.withLock({ $0 }) else {
            throw PostgresError(.closed, "a statement came after its transaction or session had ended")
        }
        return try await leased.run(command, isCancellable: isCancellable)
    }
}
