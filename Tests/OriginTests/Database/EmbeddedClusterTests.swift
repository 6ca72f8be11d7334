import Foundation
import Logging
import Postgres
import TestSupport
import Testing

@testable import Origin

/// Serialized: each test starts servers of its own, and a machine takes only so many at once.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct EmbeddedClusterTests {
    @Test func `data outlives a stop, and nothing is left running`() async throws {
        try await withTemporaryFolder("pg") { folder in
            var pids: [Int32] = []
            for round in 1...2 {
                let cluster = try await Self.start(folder)
                pids.append(try #require(await cluster.serverPID))
                try await Self.count(cluster, round)
                await cluster.stop()
            }
            for pid in pids { #expect(kill(pid, 0) != 0) }
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/postgres/data/postmaster.pid"))
        }
    }

    @Test func `a killed server is started again, and the pool goes on`() async throws {
        try await withTemporaryFolder("pg") { folder in
            let cluster = try await Self.start(folder)
            let supervision = Task { await cluster.run() }
            var configuration = PostgresConfiguration(connectionString: cluster.connectionString)
            configuration.leaseTimeout = .seconds(60)
            let pool = try await PostgresPool.open(configuration, logger: .quiet)
            _ = try await pool.execute("CREATE TABLE t (n int)")
            for round in 1...2 {
                let before = try #require(await cluster.serverPID)
                #expect(kill(before, SIGKILL) == 0)
                while await cluster.serverPID == before { try await Task.sleep(for: .milliseconds(5)) }
                // A connection to the old server may not have noticed yet: such a statement fails, and only such a one.
                while true {
                    do {
                        _ = try await pool.execute("INSERT INTO t VALUES (\(round))")
                        break
                    } catch let error as PostgresError where error.isUnavailable {}
                }
            }
            let rows = try await pool.query("SELECT * FROM t")
            #expect(rows.count == 2)
            await pool.close()
            supervision.cancel()
            await supervision.value
            await cluster.stop()
        }
    }

    @Test func `a server that a killed owner left behind is replaced, never doubled`() async throws {
        try await withTemporaryFolder("pg") { folder in
            let first = try await Self.start(folder)
            try await Self.count(first, 1)
            await first.stop()
            // As a killed owner leaves it: the server runs, and nobody holds the lock.
            let place = try EmbeddedClusterFolder("\(folder)/postgres")
            let installed = await EmbeddedClusterBinaries.installed()
            let binaries = try EmbeddedClusterBinaries.choose(installed, needed: nil, folder: "")
            let tools = try EmbeddedClusterTools(binaries: binaries.folder, user: place.user)
            let orphan = EmbeddedClusterPostmaster(tools, place, isDurable: false)
            while place.leftoverPostmaster(onStale: { _ in }) == nil { try await Task.sleep(for: .milliseconds(5)) }

            let second = try await Self.start(folder)
            #expect(orphan.hasEnded)
            try await Self.count(second, 2)
            await second.stop()
        }
    }

    @Test func `a second program is a guest, and takes over when the owner stops`() async throws {
        try await withTemporaryFolder("pg") { folder in
            let owner = try await Self.start(folder)
            try await Self.count(owner, 1)
            let guest = try await Self.start(folder)
            #expect(guest.connectionString == owner.connectionString)
            #expect(await guest.serverPID == nil)
            try await Self.count(guest, 2)

            let supervision = Task { await guest.run() }
            await owner.stop()
            while await guest.serverPID == nil { try await Task.sleep(for: .milliseconds(5)) }
            try await Self.count(guest, 3)
            supervision.cancel()
            await supervision.value
            await guest.stop()
        }
    }

    @Test func `a guest that stops leaves the owner's server alone`() async throws {
        try await withTemporaryFolder("pg") { folder in
            let owner = try await Self.start(folder)
            let guest = try await Self.start(folder)
            await guest.stop()
            try await Self.count(owner, 1)
            await owner.stop()
        }
    }

    @Test func `a stale postmaster.pid is no obstacle, whoever has its number now`() async throws {
        try await withTemporaryFolder("pg") { folder in
            let data = "\(folder)/postgres/data"
            for (round, stale) in [(1, "\(Int32.max - 1)"), (2, "\(getpid())")] {
                let cluster = try await Self.start(folder)
                try await Self.count(cluster, round)
                await cluster.stop()
                let text = "\(stale)\n\(data)\n1700000000\n5432\n\(folder)/postgres/socket\n\n  1 1\nready\n"
                try text.write(toFile: "\(data)/postmaster.pid", atomically: false, encoding: .utf8)
            }
            let last = try await Self.start(folder)
            try await Self.count(last, 3)
            await last.stop()
        }
    }

    @Test func `a path too long for a socket moves only the socket`() async throws {
        try await withTemporaryFolder("pg") { folder in
            let long = "\(folder)/\(String(repeating: "x", count: 90)), with a 'comma'"
            let cluster = try await EmbeddedCluster.start(in: "\(long)/postgres", isDurable: false, logger: .quiet)
            #expect(cluster.connectionString.contains("/tmp/longshore-"))
            try await Self.count(cluster, 1)
            await cluster.stop()
            try FileManager.default.removeItem(
                atPath: EmbeddedClusterFolder.socketFolder(for: try #require(Self.resolved("\(long)/postgres"))))
        }
    }

    @Test func `a server that cannot start says its last words`() async throws {
        try await withTemporaryFolder("pg") { folder in
            let cluster = try await Self.start(folder)
            await cluster.stop()
            let file = "\(folder)/postgres/data/postgresql.conf"
            try "shared_buffers = nonsense\n".write(toFile: file, atomically: false, encoding: .utf8)
            let error = await #expect(throws: EmbeddedClusterError.self) { _ = try await Self.start(folder) }
            #expect(error.map { "\($0)".contains("shared_buffers") } == true)
        }
    }

    @Test func `data of another major version is told apart before anything is touched`() async throws {
        try await withTemporaryFolder("pg") { folder in
            let data = "\(folder)/postgres/data"
            try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
            try "9\n".write(toFile: "\(data)/PG_VERSION", atomically: false, encoding: .utf8)
            let error = await #expect(throws: EmbeddedClusterError.self) { _ = try await Self.start(folder) }
            let text = try #require(error).description
            for word in ["PostgreSQL 9", "pg_upgrade", "apt install postgresql-9"] { #expect(text.contains(word)) }
        }
    }

    @Test(arguments: ["", "nonsense\n"])
    func `data without a readable version is not replaced by an empty database`(version: String) async throws {
        try await withTemporaryFolder("pg") { folder in
            let data = "\(folder)/postgres/data"
            try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
            try version.write(toFile: "\(data)/PG_VERSION", atomically: false, encoding: .utf8)
            let resolved = try #require(Self.resolved(data))
            await #expect(throws: EmbeddedClusterError.unknownData(folder: resolved)) {
                _ = try await Self.start(folder)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: data) == ["PG_VERSION"])
        }
    }

    @Test func `the server for existing data is the one of its version`() throws {
        let installed = [EmbeddedClusterBinaries(folder: "/a", version: 15), .init(folder: "/b", version: 17)]
        #expect(try EmbeddedClusterBinaries.choose(installed, needed: nil, folder: "").version == 17)
        #expect(try EmbeddedClusterBinaries.choose(installed, needed: 15, folder: "").folder == "/a")
        #expect(throws: EmbeddedClusterError.noBinaries) {
            try EmbeddedClusterBinaries.choose([], needed: 15, folder: "")
        }
        #expect(EmbeddedClusterBinaries.majorVersion(in: "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)") == 15)
        #expect(EmbeddedClusterBinaries.majorVersion(in: "postgres (PostgreSQL) 18beta1") == 18)
    }

    @Test(.enabled(if: geteuid() == 0, "only root runs PostgreSQL as another user"))
    func `a closed parent folder is named, with what to do`() async throws {
        try await withTemporaryFolder("pg") { folder in
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder)
            let error = await #expect(throws: EmbeddedClusterError.self) { _ = try await Self.start(folder) }
            #expect(error.map { "\($0)".contains("chmod o+x \(folder)") } == true)
        }
    }

    @Test func `restarts pause longer and longer, until it was calm for a while`() {
        var restarts = Restarts()
        let now = ContinuousClock.now
        #expect(restarts.next(now: now) == nil)
        #expect(restarts.next(now: now + .seconds(1)) == .milliseconds(500))
        #expect(restarts.next(now: now + .seconds(2)) == .seconds(1))
        #expect(restarts.next(now: now + .seconds(100)) == nil)
        #expect(restarts.next(now: now + .seconds(101)) == .milliseconds(500))
    }

    private static func start(_ folder: String) async throws -> EmbeddedCluster {
        try await EmbeddedCluster.start(in: "\(folder)/postgres", isDurable: false, logger: .quiet)
    }

    /// Adds a row, and checks that there are `expected` of them now.
    private static func count(_ cluster: EmbeddedCluster, _ expected: Int) async throws {
        var configuration = PostgresConfiguration(connectionString: cluster.connectionString)
        configuration.leaseTimeout = .seconds(30)
        let pool = try await PostgresPool.open(configuration, logger: .quiet)
        _ = try await pool.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        _ = try await pool.execute("INSERT INTO kept VALUES (1)")
        let rows = try await pool.query("SELECT * FROM kept")
        #expect(rows.count == expected)
        await pool.close()
    }

    private static func resolved(_ path: String) -> String? {
        guard let text = realpath(path, nil) else { return nil }
        defer { free(text) }
        return String(cString: text)
    }
}

extension Logger {
    /// For tests in which warnings are what should happen.
    fileprivate static var quiet: Logger {
        var logger = Logger.test
        logger.logLevel = .critical
        return logger
    }
}
