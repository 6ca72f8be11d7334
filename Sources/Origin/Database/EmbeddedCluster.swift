import FoundationEssentials
package import Logging
import Postgres

/// The origin's own PostgreSQL, for installations without a database server: made, run and stopped by us.
///
/// It listens on a unix socket in a folder of mode 0700 only, and runs as another user if we are root. The program that
/// holds the lock of the folder is its owner and has the server as a child; any other program on the same folder (a
/// second origin, a command while `serve` runs) is a guest: it uses the owner's server, and takes over when the owner
/// goes. A server that an owner left behind when it was killed is shut down and started anew, so there are never two.
package actor EmbeddedCluster {
    private static let database = "longshore"
    private static let logBytesMax = 16 << 20
    private static let stopMax: Duration = .seconds(30)
    private static let guestMax: Duration = .seconds(60)

    /// What libpq needs to connect; holds no secret. Stays the same over restarts.
    package nonisolated let connectionString: String

    private let folder: EmbeddedClusterFolder
    private let isDurable: Bool
    private let logger: Logger
    private var lock: EmbeddedClusterLock?
    private var postmaster: EmbeddedClusterPostmaster?
    private var isStopping = false
    private var isStarting = false

    private init(_ folder: EmbeddedClusterFolder, isDurable: Bool, logger: Logger) {
        self.folder = folder
        self.isDurable = isDurable
        self.logger = logger
        connectionString = folder.connectionString(database: Self.database)
    }

    /// Makes the cluster if there is none, starts its server, and returns when it answers.
    ///
    /// - Parameters:
    ///   - folder: the cluster's own folder (`<data>/postgres`); made if it is missing.
    ///   - isDurable: false turns fsync off, for tests whose data nobody wants back.
    /// - Throws: `EmbeddedClusterError`.
    package static func start(
        in folder: String, isDurable: Bool = true, logger: Logger
    ) async throws -> EmbeddedCluster {
        let cluster = EmbeddedCluster(try EmbeddedClusterFolder(folder), isDurable: isDurable, logger: logger)
        try await cluster.startAsOwnerOrGuest()
        return cluster
    }

    /// Supervises until the task is cancelled: a server that ended is started again, with growing pauses; a guest
    /// becomes the owner when the owner goes. Does not stop the server: call `stop` when its last user has gone.
    package func run() async {
        let first = Restarts()
        var restarts = first
        while !isStopping, (try? await Task.sleep(for: .milliseconds(250))) != nil {
            guard needsStart, !isStopping else { continue }
            if let pause = restarts.next(now: .now), (try? await Task.sleep(for: pause)) == nil { break }
            guard !isStopping else { break }
            do { try await startAsOwner() } catch {
                logger.error(
                    "the embedded PostgreSQL did not start, and is tried again", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Shuts the server down, if it is ours, and returns when it has ended.
    package func stop() async {
        isStopping = true
        while isStarting { await Task { try? await Task.sleep(for: .milliseconds(20)) }.value }
        if let postmaster { await postmaster.stop(fastMax: Self.stopMax) }
        postmaster = nil
        lock = nil
    }

    /// The server's process id, if it is our child; for tests that kill it.
    package var serverPID: Int32? { postmaster?.pid }
}

// MARK: Owner and guest

extension EmbeddedCluster {
    /// True if there is something for the owner to start; takes the lock of an owner that has gone.
    private var needsStart: Bool {
        if lock == nil {
            lock = (try? EmbeddedClusterLock.take(folder.lock)).flatMap(\.self)
            if lock != nil { logger.notice("the program that ran the embedded PostgreSQL has gone; we run it now") }
        }
        guard lock != nil else { return false }
        guard let postmaster else { return true }
        guard postmaster.hasEnded else { return false }
        logger.error("the embedded PostgreSQL ended and is started again", metadata: ["log": "\(folder.lastWords)"])
        self.postmaster = nil
        return true
    }

    private func startAsOwnerOrGuest() async throws {
        let limit = ContinuousClock.now + Self.guestMax
        while ContinuousClock.now < limit {
            lock = try EmbeddedClusterLock.take(folder.lock)
            if lock != nil {
                do { return try await startAsOwner() } catch let error as EmbeddedClusterError
                    where error.passesByItself
                {
                    logger.notice("processes of a PostgreSQL that was killed are still ending; we wait for them")
                    lock = nil
                } catch {
                    lock = nil
                    throw error
                }
            }
            if try await answers() {
                logger.notice("the embedded PostgreSQL is run by another program; we use it as a guest")
                return
            }
            try await Task.sleep(for: .milliseconds(200))
        }
        throw EmbeddedClusterError.otherOwner(folder: folder.path)
    }

    private func startAsOwner() async throws {
        isStarting = true
        defer { isStarting = false }
        let needed = folder.dataVersion
        if needed == nil, FileFacts(folder.data) != nil { throw EmbeddedClusterError.unknownData(folder: folder.data) }
        let installed = await EmbeddedClusterBinaries.installed()
        let binaries = try EmbeddedClusterBinaries.choose(installed, needed: needed, folder: folder.data)
        let tools = try EmbeddedClusterTools(binaries: binaries.folder, user: folder.user)
        if needed == nil { try await create(tools) }
        try await endLeftover(tools)
        folder.rotateLog(bytesMax: Self.logBytesMax)
        let postmaster = EmbeddedClusterPostmaster(tools, folder, isDurable: isDurable)
        self.postmaster = postmaster
        do { try await waitUntilReady(postmaster) } catch {
            await postmaster.stop(fastMax: Self.stopMax)
            self.postmaster = nil
            throw error
        }
        logger.info(
            "the embedded PostgreSQL \(binaries.version) runs",
            metadata: ["folder": "\(folder.path)", "user": "\(folder.user.name)"])
    }

    /// `initdb` into a folder beside, then a rename: a cluster that exists is whole.
    private func create(_ tools: EmbeddedClusterTools) async throws {
        logger.notice("creating the embedded PostgreSQL", metadata: ["folder": "\(folder.path)"])
        let files = FileManager.default
        for name in (try? files.contentsOfDirectory(atPath: folder.path)) ?? [] where name.hasPrefix("new-") {
            try files.removeItem(atPath: "\(folder.path)/\(name)")
        }
        let new = "\(folder.path)/new-\(UInt64.random(in: .min ... .max))"
        let arguments = [
            "-D", new, "-U", "longshore", "--encoding=UTF8", "--locale=C", "--auth-local=trust", "--auth-host=reject",
            "--data-checksums",
        ]
        try await tools.run("initdb", isDurable ? arguments : arguments + ["--no-sync"])
        try files.moveItem(atPath: new, toPath: folder.data)
    }

    private func endLeftover(_ tools: EmbeddedClusterTools) async throws {
        let leftover = folder.leftoverPostmaster { pid in
            logger.warning("removed a postmaster.pid whose process is not PostgreSQL", metadata: ["pid": "\(pid)"])
        }
        guard let leftover else { return }
        logger.notice(
            "shutting down the PostgreSQL that an earlier run left behind", metadata: ["pid": "\(leftover)"])
        do {
            try await tools.run("pg_ctl", ["stop", "-D", folder.data, "-m", "fast", "-w", "-t", "60"])
        } catch {
            // It may have ended by itself meanwhile; if not, the server that we start next says so and refuses.
            logger.warning("pg_ctl could not stop it", metadata: ["error": "\(error)"])
        }
    }

    private func waitUntilReady(_ postmaster: EmbeddedClusterPostmaster) async throws {
        var reportAt = ContinuousClock.now + .seconds(10)
        while !(try await answers()) {
            try Task.checkCancellation()
            guard !postmaster.hasEnded else {
                throw EmbeddedClusterError.failed(program: "postgres", lines: folder.lastWords)
            }
            guard !isStopping else { throw CancellationError() }
            if ContinuousClock.now > reportAt {
                logger.notice("the embedded PostgreSQL is still starting; after a crash it first reads its log")
                reportAt = .now + .seconds(10)
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// True if the server takes connections and has our database, which its owner makes if it is missing.
    private func answers() async throws -> Bool {
        var configuration = PostgresConfiguration(connectionString: folder.connectionString(database: "postgres"))
        configuration.connectionsMax = 1
        configuration.leaseTimeout = .milliseconds(500)
        let pool: PostgresPool
        do { pool = try await PostgresPool.open(configuration, logger: logger) } catch let error as PostgresError
            where error.isUnavailable
        {
            return false
        }
        do {
            let hasDatabase = try await hasDatabase(pool)
            await pool.close()
            return hasDatabase
        } catch {
            await pool.close()
            throw error
        }
    }

    private func hasDatabase(_ pool: PostgresPool) async throws -> Bool {
        let found = try await pool.query("SELECT 1 FROM pg_database WHERE datname = \(Self.database)")
        guard found.isEmpty else { return true }
        guard lock != nil else { return false }
        _ = try await pool.execute("CREATE DATABASE \(identifier: Self.database)")
        return true
    }
}

/// When a server that keeps ending may be started again.
struct Restarts {
    private static let calmAfter: Duration = .seconds(60)
    private static let pauseMax: Duration = .seconds(30)

    private var last: ContinuousClock.Instant?
    private var pause: Duration = .milliseconds(500)

    /// - Returns: how long to wait first; nil for the first start after a calm time.
    mutating func next(now: ContinuousClock.Instant) -> Duration? {
        defer { last = now }
        guard let last, last.duration(to: now) < Self.calmAfter else {
            pause = .milliseconds(500)
            return nil
        }
        defer { pause = min(pause * 2, Self.pauseMax) }
        return pause
    }
}
