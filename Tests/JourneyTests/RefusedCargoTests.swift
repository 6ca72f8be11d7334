import Foundation
import TestSupport
import Testing

/// Real cargo at an edge behind nginx: what it is refused it is told why, and the origin's audit log tells who it was, and from where.
@Suite(.serialized, .enabled("needs nginx", { try await StaticRegistry.canRun() }))
struct RefusedCargoTests {
    /// As `audit list --json` prints a line.
    private struct Line: Decodable {
        let actor: String
        let action: String
        let repository: String?
        let crate: String?
        let version: String?
        let rule: String?
        let address: String?
        let request: String?
        let detail: [String: String]
    }

    @Test func `a token without the grant, and a blocked version, are read in cargo's output and in the audit log`()
        async throws
    {
        try await withTemporaryFolder("front") { folder in
            let front = try EdgeFront(in: folder)
            try await LiveSystem.with(
                edges: ["eu"], edgeFlags: ["--client-address-header", "X-Forwarded-For"], edgePublicURL: front.url
            ) { system in
                try await front.serve(system.edges[0].url) { try await journey(system, front) }
            }
        }
    }

    private func journey(_ system: LiveSystem, _ front: EdgeFront) async throws {
        let origin = system.origin
        let registrar = try await Registrar(origin)
        for (version, license) in [("1.0.0", "MIT"), ("1.1.0", "GPL-3.0-only")] {
            let made = MadeCrate("tidewater", version).license(license)
            #expect(try await registrar.publish(made, to: origin.url).status == 200)
        }
        try await origin.command(["repository", "create", "secret", "--private"])
        let stranger = try await origin.token("eve", ["--action", "read", "--repository", "main"])
        try await system.edges[0].fresh()

        // A build that was locked before the version was blocked, and that had it then.
        let locked = try Self.project("main", in: system.folder)
        let before = try await cargo("main", front, in: system.folder).run(["fetch"], in: locked)
        #expect(before.status == 0 && before.text.contains("tidewater v1.1.0"), "\(before.text)")
        let rules = system.folder + "/policy.toml"
        try PolicyJourneyTests.noGPL.write(toFile: rules, atomically: true, encoding: .utf8)
        try await origin.command(["policy", "set", "main", rules])
        let blocked = try await cargo("main", front, in: system.folder).run(["fetch", "--locked"], in: locked)
        #expect(blocked.status != 0 && blocked.text.contains("rule `no-gpl`: we ship no copyleft"), "\(blocked.text)")

        let secret = try Self.project("secret", in: system.folder)
        let refused = try await cargo("secret", front, in: system.folder).run(
            ["fetch"], in: secret, environment: ["CARGO_REGISTRIES_SECRET_TOKEN": stranger])
        #expect(refused.status != 0 && refused.text.contains("does not allow `read`"), "\(refused.text)")
        #expect(!refused.text.contains(stranger))
        // Whoever writes the header stays whom the proxy saw.
        let forged = try await httpGet(
            front.url + "/secret/index/config.json", headers: [("x-forwarded-for", "203.0.113.1")])
        #expect(forged.status == 401)

        let lines = try await refusals(origin, rules: ["not-allowed", "no-gpl", "no-token"])
        let grant = try #require(lines.first { $0.rule == "not-allowed" })
        #expect(grant.actor == "eve" && grant.repository == "secret" && grant.crate == nil)
        let policy = try #require(lines.first { $0.rule == "no-gpl" })
        #expect(policy.repository == "main" && policy.crate == "tidewater" && policy.version == "1.1.0")
        #expect(policy.detail["reason"]?.contains("we ship no copyleft") == true)
        for line in lines {
            #expect(line.address == EdgeFront.client && line.detail["edge"] == "eu", "\(line)")
            #expect(line.request?.isEmpty == false && line.detail["path"]?.hasPrefix("GET /") == true, "\(line)")
        }
        let listed = try await origin.command(["audit", "list", "--action", "access.refused"]).output
        let row = try #require(listed.split(separator: "\n").first { $0.contains("rule=not-allowed") })
        for part in [" eve (token ", " \(EdgeFront.client) ", "edge=eu", "request=\(grant.request ?? "")"] {
            #expect(row.contains(part), "\(part): \(row)")
        }
        try await expectTrail(origin, registrar)
    }

    /// What was served says from where too: at the edge through the proxy, and at the origin without one.
    private func expectTrail(_ origin: LiveOrigin, _ registrar: Registrar) async throws {
        let file = try MadeCrate("tidewater", "1.0.0").license("MIT").crate()
        let path = "/main/crates/tidewater/1.0.0/\(sha256(file)).crate"
        let direct = try await httpGet(origin.url + path, headers: [("authorization", registrar.token)])
        #expect(direct.status == 200, "\(direct.text)")
        let pulls = try await origin.command(["pulls", "--crate", "tidewater"]).output.split(separator: "\n")
        let (edges, own) = (pulls.filter { $0.contains(" eu ") }, pulls.filter { $0.contains(" (origin) ") })
        #expect(edges.count == 1 && edges.allSatisfy { $0.contains(" 1.1.0 ") && $0.contains(" \(EdgeFront.client) ") })
        #expect(own.count == 1 && own.allSatisfy { $0.contains(" ann ") && $0.contains(" 127.0.0.1 ") }, "\(pulls)")
        let builds = try await origin.command(["audit", "builds", "tidewater@1.1.0"]).output
        #expect(builds.contains(" \(EdgeFront.client) "), "\(builds)")
        #expect(try await origin.command(["audit", "verify"]).text.contains("no problem"))
    }

    /// The edge's batch comes some seconds behind.
    private func refusals(_ origin: LiveOrigin, rules: [String]) async throws -> [Line] {
        for _ in 0..<200 {
            let text = try await origin.command(["audit", "list", "--action", "access.refused", "--json"]).output
            let lines = try text.split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
                .filter { $0.detail["edge"] != nil }
            if rules.allSatisfy({ rule in lines.contains { $0.rule == rule } }) { return lines }
            try await Task.sleep(for: .milliseconds(300))
        }
        Issue.record("never told: \(rules)")
        return []
    }

    private func cargo(_ registry: String, _ front: EdgeFront, in folder: String) throws -> RealCargo {
        let configuration = """
            [registries.\(registry)]
            index = "sparse+\(front.url)/\(registry)/index/"
            credential-provider = "cargo:token"
            """
        return try RealCargo(in: folder, configuration: configuration)
    }

    private static func project(_ registry: String, in folder: String) throws -> String {
        let project = "\(folder)/needs-\(registry)"
        try FileManager.default.createDirectory(atPath: project + "/src", withIntermediateDirectories: true)
        try "fn main() {}\n".write(toFile: project + "/src/main.rs", atomically: true, encoding: .utf8)
        try """
        [package]
        name = "needs-\(registry)"
        version = "0.1.0"
        edition = "2021"

        [dependencies]
        tidewater = { version = "1", registry = "\(registry)" }
        """.write(toFile: project + "/Cargo.toml", atomically: true, encoding: .utf8)
        return project
    }
}

/// nginx in front of an edge, which it reaches from an address that is not its clients'.
private struct EdgeFront {
    /// From where the test's requests come.
    static let client = "127.0.0.1"
    private static let own = "127.0.0.9"

    private let folder: String
    private let port: Int

    var url: String { "http://127.0.0.1:\(port)" }

    init(in folder: String) throws {
        self.folder = folder
        port = try freePort()
    }

    func serve(_ edge: String, _ body: () async throws -> Void) async throws {
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "\($0)_temp_path \(folder)/\($0);" }.joined(separator: " ")
        try """
        user root; daemon off; pid \(folder)/nginx.pid; error_log \(folder)/nginx.log; events {}
        http {
          access_log off; \(temporary)
          server {
            listen 127.0.0.1:\(port);
            location / {
              proxy_pass \(edge); proxy_bind \(Self.own); proxy_http_version 1.1; proxy_set_header Connection "";
              proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            }
          }
        }
        """.write(toFile: folder + "/nginx.conf", atomically: true, encoding: .utf8)
        try await RunningNginx.with(
            configurationIn: folder, isReady: { (try? await httpGet(url + "/nothing"))?.status == 404 }, body)
    }
}
