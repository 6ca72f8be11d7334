import Crypto
import FoundationEssentials
import Logging
import Origin
import Postgres
import Subprocess

/// The PostgreSQL that a test process uses, and the migrated template that its databases are copied from.
struct TestServer: Sendable {
    static let shared = Task { try await start() }

    private let connectionString: String
    private let maintenance: PostgresPool
    private let template: String

    private static func start() async throws -> TestServer {
        let given = ProcessInfo.processInfo.environment["LONGSHORE_TEST_DATABASE_URL"] ?? ""
        let base = given.isEmpty ? try await startCluster() : given
        var configuration = PostgresConfiguration(connectionString: base)
        configuration.connectionsMax = 4
        configuration.statementTimeout = .seconds(60)
        // Tests wait for each other's copies here.
        configuration.leaseTimeout = .seconds(60)
        let server = TestServer(
            connectionString: base, maintenance: try await PostgresPool.open(configuration, logger: .test),
            template: "longshore_template_\(Migration.all.digest)")
        try await server.makeTemplate()
        return server
    }

    /// A new database.
    ///
    /// - Returns: its connection string.
    func create(_ name: String, isMigrated: Bool) async throws -> String {
        let source = isMigrated ? template : "template0"
        _ = try await maintenance.execute("CREATE DATABASE \(identifier: name) TEMPLATE \(identifier: source)")
        return Self.connectionString(connectionString, database: name)
    }

    func drop(_ name: String) async throws {
        _ = try await maintenance.execute("DROP DATABASE IF EXISTS \(identifier: name) WITH (FORCE)")
    }

    /// The same server, another database: libpq takes the last word on `dbname`.
    static func connectionString(_ base: String, database: String) -> String {
        guard base.hasPrefix("postgres://") || base.hasPrefix("postgresql://") else {
            return "\(base) dbname=\(database)"
        }
        return base + (base.contains("?") ? "&" : "?") + "dbname=\(database)"
    }

    /// Made under a lock and named by its content, so that several test processes can share a server.
    private func makeTemplate() async throws {
        try await maintenance.withConnection { session in
            _ = try await session.query("SELECT pg_advisory_lock(4711)")
            let found = try await session.query("SELECT 1 FROM pg_database WHERE datname = \(template)")
            if found.isEmpty {
                let new = "\(template)_new"
                try await drop(new)
                _ = try await session.execute("CREATE DATABASE \(identifier: new) TEMPLATE template0")
                let target = PostgresConfiguration(
                    connectionString: Self.connectionString(connectionString, database: new))
                _ = try await Migrator().migrate(target, logger: .test)
                _ = try await session.execute("ALTER DATABASE \(identifier: new) RENAME TO \(identifier: template)")
            }
            _ = try await session.query("SELECT pg_advisory_unlock(4711)")
        }
    }

    private static func startCluster() async throws -> String {
        let folder = "/tmp/longshore-tests-\(ProcessInfo.processInfo.processIdentifier)"
        // A number that came round again: its folder was left by a process whose watchdog was killed too.
        try? FileManager.default.removeItem(atPath: folder)
        watch(folder)
        return try await EmbeddedCluster.start(in: "\(folder)/postgres", isDurable: false, logger: .test)
            .connectionString
    }

    /// Starts a shell that outlives us by a moment: it waits for the end of a pipe that only we hold open, which the
    /// kernel closes even after `kill -9`, and then ends the server and removes the folder.
    private static func watch(_ folder: String) {
        let script = #"""
            read -r _
            if read -r pid <"$1/postgres/data/postmaster.pid"; then
                kill -QUIT "$pid"
                for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" || break; sleep 0.2; done
            fi
            rm -rf "$1"
            """#
        Task {
            var options = PlatformOptions()
            options.createSession = true
            _ = try await Subprocess.run(
                .name("sh"), arguments: ["-c", script, "sh", folder], platformOptions: options,
                input: .inputWriter, output: .discarded, error: .discarded
            ) { _ in try await Task.sleep(for: .seconds(7 * 86400)) }
        }
    }
}

extension [Migration] {
    /// Sixteen hex digits that change with any migration.
    fileprivate var digest: String {
        let all = map(\.sha256).joined()
        return SHA256.hash(data: [UInt8](all.utf8)).description.suffix(64).prefix(16).lowercased()
    }
}
