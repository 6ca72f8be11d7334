import Foundation
import Registry
import TestSupport
import Testing

/// What an edge refuses by itself stands in the origin's audit log, as the operator asks for it.
@Suite(.serialized)
struct RefusalJourneyTests {
    @Test func `a stranger, a revoked token and a blocked download at an edge are lines with edge, rule and address`()
        async throws
    {
        try await LiveSystem.with(edges: ["eu"]) { system in
            let (origin, edge) = (system.origin, system.edges[0])
            let registrar = try await Registrar(origin)
            let crate = MadeCrate("tidewater", "1.0.0").license("GPL-3.0-only")
            #expect(try await registrar.publish(crate, to: origin.url).status == 200)
            try await origin.command(["repository", "create", "secret", "--private"])
            let token = try await origin.token("bob", ["--action", "read", "--repository", "secret"])
            let other = try await origin.token("eve", ["--action", "read", "--repository", "main"])
            let rules = system.folder + "/policy.toml"
            try PolicyJourneyTests.noGPL.write(toFile: rules, atomically: true, encoding: .utf8)
            try await origin.command(["policy", "set", "main", rules])

            try await edge.fresh()
            let config = "/secret/index/config.json"
            func status(_ token: String) async throws -> Int {
                try await edge.get(config, headers: [("authorization", token)]).status
            }
            try await until("the edge knows the repository") { try await edge.get(config).status == 401 }
            #expect(try await status(token) == 200)
            #expect(try await status(other) == 403)
            let id = try #require(
                try await origin.command(["token", "list", "--login", "bob"]).output.split(separator: "\n").last?
                    .split(separator: " ").first.map(String.init))
            try await origin.command(["token", "revoke", id])
            try await until("the edge knows of the revocation") { try await status(token) == 401 }
            let hash = sha256(try crate.crate())
            let file = "/main/crates/tidewater/1.0.0/\(hash).crate"
            try await until("the edge knows the rule") { try await edge.get(file).status == 403 }

            let wanted = ["rule=no-token", "rule=token-revoked", "rule=not-allowed", "rule=no-gpl"]
            var listed: [Substring] = []
            try await until("all told") {
                let text = try await origin.command(["audit", "list", "--action", "access.refused"]).output
                listed = text.split(separator: "\n").filter { $0.contains("edge=eu") }
                return wanted.allSatisfy { rule in listed.contains { $0.contains(rule) } }
            }
            #expect(listed.allSatisfy { $0.contains(" 127.0.0.1 ") && $0.contains("count=") }, "\(listed)")
            func line(_ rule: String) throws -> String { String(try #require(listed.first { $0.contains(rule) })) }
            #expect(try line("rule=no-gpl").contains("main tidewater 1.0.0"))
            #expect(try line("rule=token-revoked").contains(" bob (token \(id))"))
            #expect(try line("rule=not-allowed").contains(" eve (token "))
            #expect(try line("rule=no-token").contains(" no token "))
            #expect(try await origin.command(["audit", "verify"]).text.contains("no problem"))
        }
    }

    /// A minute at most.
    private func until(_ what: String, _ holds: () async throws -> Bool) async throws {
        for _ in 0..<200 {
            if try await holds() { return }
            try await Task.sleep(for: .milliseconds(300))
        }
        Issue.record("never: \(what)")
    }
}
