import ArgumentParser
import Hosting
import Logging
import Postgres

/// Where a command finds the database; the same settings as `serve`.
struct DatabaseOptions: ParsableArguments {
    @Option(help: "The data folder, as of `serve`.") var data: String?
    @Option(help: "A libpq connection string (also DATABASE_URL).") var databaseUrl: String?
    @Option(help: "A file that holds the connection string.") var databaseUrlFile: String?
    @Option(help: "A file that holds the connection string of the role that owns the tables, as of `serve`.")
    var databaseOwnerUrlFile: String?
    @Option(help: "A file that holds the secret of the signing keys; unset: as of `serve`.")
    var signingSecretFile: String?
    @Option(help: "The JSON file of settings, as of `serve`.") var config: String?

    /// Runs `body` on a migrated database and closes everything after it.
    ///
    /// - Throws: what went wrong, as one sentence.
    func with<Answer>(_ body: (OriginSlices, OriginConfig) async throws -> Answer) async throws -> Answer {
        try await opened { database, config in
            _ = try await database.migrate(logger: Self.logger)
            return try await body(OriginSlices(pool: database.pool, logger: Self.logger), config)
        }
    }

    /// The same, with a pool of the role that owns the tables, whose statements may take as long as they take.
    func withOwner<Answer>(
        _ body: (OriginSlices, OriginConfig, _ owner: PostgresPool) async throws -> Answer
    ) async throws -> Answer {
        try await opened { database, config in
            _ = try await database.migrate(logger: Self.logger)
            var patient = database.owner
            patient.connectionsMax = 1
            patient.statementTimeout = .zero
            let owner = try await PostgresPool.open(patient, logger: Self.logger)
            do {
                let answer = try await body(OriginSlices(pool: database.pool, logger: Self.logger), config, owner)
                await owner.close()
                return answer
            } catch {
                await owner.close()
                throw error
            }
        }
    }

    /// - Returns: the migrations that were applied, as `1 (registry)`.
    func migrate() async throws -> [String] {
        try await opened { database, _ in
            try await database.migrate(logger: Self.logger).map {
                "\($0.number) (\($0.name))"
            }
        }
    }

    private func opened<Answer>(_ body: (OriginDatabase, OriginConfig) async throws -> Answer) async throws -> Answer {
        var config = try CommandSettings.read(flags).config
        config.databaseConnectionsMax = 2
        config.publicURL = config.publicURL ?? ServedAddress.recall(config)
        do {
            let database = try await OriginDatabase.open(config, logger: Self.logger)
            do {
                let answer = try await body(database, config)
                await database.close()
                return answer
            } catch {
                await database.close()
                throw error
            }
        } catch {
            throw CommandFailure(error)
        }
    }

    private var flags: [String] {
        let pairs = [
            ("data", data), ("database-url", databaseUrl), ("database-url-file", databaseUrlFile),
            ("database-owner-url-file", databaseOwnerUrlFile),
            ("signing-secret-file", signingSecretFile), ("config", config),
        ]
        return pairs.flatMap { name, value in value.map { ["--\(name)", $0] } ?? [] }
    }

    /// A command tells its result itself; only what an operator must know goes to standard error besides.
    static var logger: Logger {
        Logger(label: "origin", factory: { ServiceLog(label: $0, level: .warning, format: .text) })
    }
}

enum CommandSettings {
    /// - Throws: `ValidationError`, which ArgumentParser prints with the usage.
    static func read(_ flags: [String]) throws -> (settings: Settings, config: OriginConfig) {
        do {
            let settings = try Settings(OriginConfig.table, flags: flags)
            return (settings, OriginConfig(settings))
        } catch {
            throw ValidationError("\(error)")
        }
    }
}

/// Why a command failed, as one sentence.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String

    init(_ text: String) { description = text }

    init(_ error: any Error) {
        description = (error as? Refusal)?.detail ?? Explanation.of(error)
    }
}
