import Foundation
import TestSupport
import Testing

/// A PostgreSQL on another machine, reached over TLS, and what the origin says when that does not work.
@Suite(.serialized)
struct DatabaseTLSTests {
    @Test func `serve and publish over verified TLS; each refusal is one clear sentence`() async throws {
        try await withTemporaryFolder("tls") { folder in
            let authority = try await TestAuthority(in: folder, names: ["DNS:localhost"])
            let stranger = folder + "/stranger"
            try FileManager.default.createDirectory(atPath: stranger, withIntermediateDirectories: true)
            let other = try await TestAuthority(in: stranger, names: ["DNS:localhost"])
            try await NetworkPostgres.with(folder, authority) { server in
                let url = server.url("localhost", "sslmode=verify-full&sslrootcert=\(authority.certificate)")
                try await LiveSystem.with(edges: ["eu"], databaseURL: url) { system in
                    let registrar = try await Registrar(system.origin)
                    let published = try await registrar.publish(MadeCrate("hawser", "1.0.0"), to: system.origin.url)
                    #expect(published.status == 200, "\(published.text)")
                    #expect(try await system.edges[0].get("/main/index/ha/ws/hawser").status == 200)
                    let plain = try await server.ask(
                        "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
                            + "WHERE application_name = 'longshore-origin' AND NOT ssl")
                    #expect(plain == "0")
                }
                for (host, options, sentence) in [
                    ("localhost", "sslrootcert=\(other.certificate)", "certificate verify failed"),
                    ("localhost", "sslrootcert=\(folder)/none.pem", "root certificate file"),
                    ("127.0.0.1", "sslrootcert=\(authority.certificate)", "does not match host name \"127.0.0.1\""),
                ] {
                    try await refused(server.url(host, "sslmode=verify-full&\(options)"), folder, sentence)
                }
            }
            try await NetworkPostgres.with(folder, nil) { server in
                let url = server.url("localhost", "sslmode=verify-full&sslrootcert=\(authority.certificate)")
                try await refused(url, folder, "server does not support SSL, but SSL was required")
            }
        }
    }

    private func refused(_ url: String, _ folder: String, _ sentence: String) async throws {
        let result = try await runTool(
            Program.origin.path, ["repository", "list", "--data", folder + "/unused"],
            environment: ["DATABASE_URL": url])
        #expect(result.status == 1)
        #expect(result.errors.hasPrefix("Error: no connection to PostgreSQL: "), "\(result.text)")
        #expect(result.errors.contains(sentence), "\(result.text)")
        #expect(result.errors.split(separator: "\n").count == 1, "\(result.text)")
    }
}

/// A PostgreSQL on a TCP port, on data of its own; with TLS if it is given a certificate.
private struct NetworkPostgres {
    let port: Int
    private let folder: String

    static func with(
        _ folder: String, _ authority: TestAuthority?, _ body: (NetworkPostgres) async throws -> Void
    ) async throws {
        let server = NetworkPostgres(port: try freePort(), folder: folder + (authority == nil ? "/plain" : "/secure"))
        let process = try await server.start(authority)
        do {
            try await server.untilReady(process)
            try await body(server)
        } catch {
            print(process.logTail)
            process.send(SIGINT)
            await process.stop()
            throw error
        }
        process.send(SIGINT)
        await process.stop()
    }

    func url(_ host: String, _ options: String) -> String {
        "postgresql://longshore@\(host):\(port)/postgres?\(options)"
    }

    /// The answer of one row and column.
    func ask(_ query: String) async throws -> String {
        let result = try await runTool(
            "psql", ["-h", folder, "-p", "\(port)", "-U", "longshore", "-d", "postgres", "-Atc", query])
        guard result.status == 0 else { throw Unexpected(text: result.text) }
        return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func start(_ authority: TestAuthority?) async throws -> ServerProcess {
        // PostgreSQL refuses to be root, and to read a key that others may read.
        let prepare = #"""
            set -e
            mkdir "$1"; cd "$1"
            [ -z "$2" ] || { cp "$2" server.pem; cp "$3" server.key; chmod 600 server.key; }
            as=
            if [ "$(id -u)" = 0 ]; then
                chown -R postgres .
                as='setpriv --reuid=postgres --regid=postgres --clear-groups'
            fi
            bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
            $as "$bin/initdb" -D data -U longshore --auth=trust --no-sync
            echo "exec $as $bin/postgres -D $1/data \"\$@\"" >run
            """#
        let made = try await runTool(
            "sh", ["-c", prepare, "sh", folder, authority?.serverCertificate ?? "", authority?.serverKey ?? ""])
        guard made.status == 0 else { throw Unexpected(text: made.text) }
        var settings = [
            "port=\(port)", "listen_addresses=localhost", "unix_socket_directories=\(folder)", "fsync=off",
        ]
        if authority != nil {
            settings += ["ssl=on", "ssl_cert_file=\(folder)/server.pem", "ssl_key_file=\(folder)/server.key"]
        }
        return ServerProcess(
            "postgres", arguments: ["sh", folder + "/run"] + settings.flatMap { ["-c", $0] },
            logPath: folder + ".log")
    }

    private func untilReady(_ process: ServerProcess) async throws {
        for _ in 0..<300 {
            if (try? await ask("SELECT 1")) == "1" { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw Unexpected(text: process.logTail)
    }

    private struct Unexpected: Error { let text: String }
}
