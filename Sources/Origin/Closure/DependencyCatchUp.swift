package import Logging
package import Postgres
import Registry
import ServiceLifecycle

/// Makes the rows of `dependencies` that are missing or old, once after the start: those of crates from before there was
/// such a table, and of crates that an older replica has changed up to then.
///
/// What an older replica that still runs changes after that pass has an old row until the next publish of that crate, or the
/// next start of a replica. That costs edges questions, nothing else: the row is a hint.
package struct DependencyCatchUp: Service {
    private static let batch = 200
    private static let pauseAfterFailure: Duration = .seconds(30)

    let pool: PostgresPool
    let logger: Logger

    package init(pool: PostgresPool, logger: Logger) {
        self.pool = pool
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    let made = try await catchUp()
                    if made > 0 {
                        logger.notice(
                            "what a resolver asks next is known of every crate", metadata: ["crates": "\(made)"])
                    }
                    break
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning(
                        "what a resolver asks next could not be worked out; tried again later",
                        metadata: ["error": "\(error)"])
                    guard (try? await Task.sleep(for: Self.pauseAfterFailure)) != nil else { return }
                }
            }
            // A service that ends would end the program.
            try? await gracefulShutdown()
        }
    }

    /// - Returns: how many crates got a row.
    func catchUp() async throws -> Int {
        var made = 0
        var last: Int64 = 0
        while true {
            let ids = try await behind(after: last)
            guard let newest = ids.last else { return made }
            for id in ids where try await renew(id) { made += 1 }
            last = newest
        }
    }

    private func behind(after last: Int64) async throws -> [Int64] {
        try await pool.query(
            """
            SELECT crates.id FROM crates LEFT JOIN dependencies ON dependencies.crate_id = crates.id
            WHERE crates.id > \(last) AND crates.generation > 0
              AND dependencies.generation IS DISTINCT FROM crates.generation
            ORDER BY crates.id LIMIT \(Self.batch)
            """
        ).map { try $0.value("id", as: Int64.self) }
    }

    /// - Returns: false if the crate is gone.
    private func renew(_ id: Int64) async throws -> Bool {
        try await pool.withTransaction { transaction in
            let crates = try await transaction.query("SELECT generation FROM crates WHERE id = \(id) FOR UPDATE")
            guard let crate = crates.first else { return false }
            let rows = try await transaction.query("SELECT number, yanked FROM versions WHERE crate_id = \(id)")
            // No resolver takes a version that can't be read; it must not keep the other crates from their rows.
            let versions = try rows.compactMap { row -> (version: Version, yanked: Bool)? in
                let number = try row.value("number", as: String.self)
                let yanked = try row.value("yanked", as: Bool.self)
                return (try? Version(number)).map { (version: $0, yanked: yanked) }
            }
            try await DependencyRows.renew(
                of: id, generation: try crate.value("generation", as: UInt64.self), among: versions, transaction)
            return true
        }
    }
}
