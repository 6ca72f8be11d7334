import Foundation
import Glibc
import TestSupport

/// A PostgreSQL of a scenario's own, with or without a standby that follows it synchronously; both without fsync, since
/// only processes die here and never the machine.
///
/// It listens on unix sockets below the scenario's folder, so that the tests reach it as the origin does.
final class FaultPostgres: Sendable {
    private static let user = "postgres"

    private let folder: String
    private let place: LivePlace
    private let bin: String
    private let first: Server
    private let second: Server?

    /// One server, which can be stopped and started again.
    private final class Server: Sendable {
        let data: String
        let socket: String
        let logPath: String
        let current = Current()

        init(_ name: String, in folder: String) {
            (data, socket) = ("\(folder)/\(name)/data", "\(folder)/\(name)/run")
            logPath = "\(folder)/\(name).log"
        }
    }

    /// Starts it, calls `body`, ends it.
    static func with<Answer>(
        standby: Bool, in folder: String, at place: LivePlace, _ body: (FaultPostgres) async throws -> Answer
    ) async throws -> Answer {
        let postgres = try FaultPostgres(standby: standby, in: folder, at: place)
        do {
            try await postgres.make()
            let answer = try await body(postgres)
            await postgres.stopAll()
            return answer
        } catch {
            await postgres.stopAll()
            throw error
        }
    }

    private init(standby: Bool, in folder: String, at place: LivePlace) throws {
        self.folder = folder
        self.place = place
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        guard let newest = versions.max(by: { (Int($0) ?? 0) < (Int($1) ?? 0) }) else {
            throw ToolFailed(text: "there is no /usr/lib/postgresql")
        }
        bin = "/usr/lib/postgresql/\(newest)/bin"
        first = Server("pg1", in: folder)
        second = standby ? Server("pg2", in: folder) : nil
    }

    /// For libpq. With a standby both are named, and the one that takes writes is used.
    var connectionString: String {
        guard let second else { return "host=\(first.socket) user=\(Self.user) dbname=longshore" }
        return "host=\(first.socket),\(second.socket) user=\(Self.user) dbname=longshore "
            + "target_session_attrs=read-write"
    }

    private func make() async throws {
        try await makeFolder(first)
        try await tool("initdb", ["-D", first.data, "-U", Self.user, "--auth=trust", "--no-sync"])
        try await start(first)
        try await sql("CREATE DATABASE longshore", database: "postgres")
        guard let second else { return }
        try await makeFolder(second)
        try await tool(
            "pg_basebackup", ["-h", first.socket, "-U", Self.user, "-D", second.data, "-R", "--no-sync", "-c", "fast"])
        try await start(second)
        // From here on a commit is answered when the standby has it, so that a failover loses nothing answered 200.
        try await sql("ALTER SYSTEM SET synchronous_standby_names = '*'", database: "postgres")
        try await sql("SELECT pg_reload_conf()", database: "postgres")
    }

    /// Stops it in good order, within seconds: sessions are ended, transactions rolled back.
    func stopFast() async {
        first.current.process?.send(SIGINT)
        _ = try? await first.current.process?.endedWell()
    }

    func startAgain() async throws { try await start(first) }

    /// The primary dies at once, with all its processes; then the standby takes over.
    func failOver() async throws {
        guard let second else { throw ToolFailed(text: "there is no standby") }
        await first.current.process?.killNow()
        try await tool("pg_ctl", ["promote", "-D", second.data, "-w"])
    }

    private func stopAll() async {
        for server in [second, first].compactMap({ $0 }) {
            server.current.process?.send(SIGINT)
            await server.current.process?.stop(seconds: 10)
        }
    }

    private func makeFolder(_ server: Server) async throws {
        let made = try await runTool("install", ["-d", "-o", Self.user, "-m", "755", server.socket, server.data])
        guard made.status == 0 else { throw ToolFailed(text: made.text) }
        let closed = try await runTool(
            "sh", ["-c", "chown \(Self.user) '\(server.data)/..' && chmod 700 '\(server.data)'"])
        guard closed.status == 0 else { throw ToolFailed(text: closed.text) }
    }

    private func start(_ server: Server) async throws {
        server.current.process = ServerProcess(
            "postgres",
            arguments: place.prefix + asUser + [
                "\(bin)/postgres", "-D", server.data, "-k", server.socket, "-c", "listen_addresses=", "-c", "fsync=off",
            ], logPath: server.logPath)
        for _ in 0..<200 {
            let ready = try await runTool("\(bin)/pg_isready", ["-q", "-h", server.socket])
            if ready.status == 0 { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw ToolFailed(text: "PostgreSQL did not start: \(server.current.process?.logTail ?? "")")
    }

    private var asUser: [String] { ["setpriv", "--reuid=\(Self.user)", "--regid=\(Self.user)", "--clear-groups"] }

    private func tool(_ name: String, _ arguments: [String]) async throws {
        let result = try await runTool(asUser[0], Array(asUser.dropFirst()) + ["\(bin)/\(name)"] + arguments)
        guard result.status == 0 else { throw ToolFailed(text: "\(name): \(result.text)") }
    }

    private func sql(_ statement: String, database: String) async throws {
        try await tool("psql", ["-h", first.socket, "-d", database, "-qAt", "-c", statement])
    }
}
