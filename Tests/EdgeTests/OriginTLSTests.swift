import Foundation
import NIOCore
import Registry
import TestSupport
import Testing

@testable import Edge

/// An origin behind a TLS terminator that speaks HTTP/2, with a certificate of a private authority.
@Suite(.serialized)
struct OriginTLSTests {
    /// One line of the terminator's log: `PORT ALPN METHOD PATH`.
    fileprivate struct Passed {
        let port: Substring
        let protocolName: Substring
        let path: Substring

        static func all(in log: String) -> [Passed] {
            ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ")
                return words.count == 4 ? Passed(port: words[0], protocolName: words[1], path: words[3]) : nil
            }
        }
    }

    /// Runs `body` with a scripted origin, the terminator's port, its certificate and its log.
    private func terminated(
        _ body: @Sendable (_ origin: ScriptedOrigin, _ folder: String, _ port: Int) async throws -> Void
    ) async throws {
        try await withTemporaryFolder("tls") { folder in
            try await makeCertificate(in: folder)
            let origin = ScriptedOrigin()
            origin.change { script in
                for name in ["app", "leaf", "other", "more"] {
                    guard let path = try? CrateName(name).indexPath else { continue }
                    script.indexFiles["main/\(path)"] = (1, "\(name) 1\n")
                }
                script.closures = ["app": ["leaf"]]
            }
            try await origin.start()
            let port = try freePort()
            let terminator = ServerProcess(
                "nghttpx",
                arguments: [
                    "nghttpx", "--conf=/dev/null", "-f127.0.0.1,\(port)", "-b127.0.0.1,\(origin.port)", "-n1",
                    "--accesslog-file=\(folder)/access.log",
                    "--accesslog-format=$remote_port $alpn $method $path_without_query", "\(folder)/key.pem",
                    "\(folder)/cert.pem",
                ], logPath: folder + "/nghttpx.log")
            do {
                try await body(origin, folder, port)
            } catch {
                print(terminator.logTail)
                await terminator.stop()
                throw error
            }
            await terminator.stop()
            try await origin.stop()
        }
    }

    private func makeCertificate(in folder: String) async throws {
        let made = try await runTool(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=localhost", "-addext",
                "subjectAltName=IP:127.0.0.1",
            ], in: folder)
        try #require(made.status == 0, "openssl (package openssl) must make a certificate: \(made.errors)")
        let version = try await runTool("nghttpx", ["--version"])
        try #require(version.status == 0, "`nghttpx` is missing: install the package nghttp2-proxy")
    }

    @Test func `single questions share one HTTP/2 connection, and the parts of closures do not`() async throws {
        try await terminated { origin, folder, port in
            try await RunningEdge.run(
                origin, in: folder,
                configure: { config in
                    config.originURL = "https://127.0.0.1:\(port)"
                    config.originAuthorities = folder + "/cert.pem"
                }
            ) { edge async throws in
                let answers = ["3/a/app", "le/af/leaf", "ot/he/other"]
                for path in answers { #expect(try await edge.get("/main/index/\(path)").status == 200) }
                try await edge.untilApplied(try edge.origin.publish("leaf", "leaf 2\n", generation: 2))
                #expect(try await edge.get("/main/index/le/af/leaf").body == "leaf 2\n")
                // Many at once, and still the one connection.
                edge.origin.change { $0.closures = nil }
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 0..<50 {
                        group.addTask { try await edge.get("/main/index/na/me/name\(number)").status }
                    }
                    for try await status in group { #expect(status == 404) }
                }
                let log = folder + "/access.log"
                try await edge.until("the log is written") { Passed.all(in: log).count { $0.isRead } >= 51 }
                let reads = Passed.all(in: log).filter(\.isRead)
                #expect(reads.contains { $0.path == "/edge/v1/index/main/le/af/leaf" })
                #expect(Set(reads.map(\.protocolName)) == ["h2"])
                #expect(Set(reads.map(\.port)).count == 1)
                // Parts of closures need connections of their own.
                let closures = Passed.all(in: log).filter { $0.path == "/edge/v1/closure/main" }
                #expect(!closures.isEmpty && closures.allSatisfy { $0.protocolName != "h2" })
            }
        }
    }

    @Test func `a file that is no certificate is refused at the start`() async throws {
        try await withTemporaryFolder("tls") { folder in
            try "no certificate".write(toFile: folder + "/ca.pem", atomically: true, encoding: .utf8)
            for name in ["ca.pem", "nowhere.pem"] {
                await #expect(throws: EdgeConfig.Problem.self) {
                    try await RunningEdge.run(
                        ScriptedOrigin(), in: folder, configure: { $0.originAuthorities = "\(folder)/\(name)" }
                    ) { _ in }
                }
            }
        }
    }

    // I11: an origin that can't be trusted is one that can't be reached.
    @Test func `without the authority's certificate the origin is not believed`() async throws {
        try await terminated { origin, folder, port in
            try await RunningEdge.run(
                origin, in: folder, isReady: false,
                configure: { config in config.originURL = "https://127.0.0.1:\(port)" }
            ) { edge async throws in
                #expect(try await edge.get("/main/index/3/a/app").status == 503)
                #expect(edge.origin.requests.isEmpty)
            }
        }
    }
}

extension OriginTLSTests.Passed {
    /// Asked through the client for reads; the feed has a connection of its own.
    fileprivate var isRead: Bool { path.hasPrefix("/edge/v1/index/") }
}
