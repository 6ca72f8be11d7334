import Foundation
import TestSupport
import Testing

/// The audit log of a real origin with its private PostgreSQL, asked and checked by its own commands.
@Suite(.serialized)
struct AuditJourneyTests {
    @Test func `what was done is told, signed, archived, and still verifies`() async throws {
        try await LiveSystem.with(edges: ["eu"]) { system in
            let origin = system.origin
            let registrar = try await Registrar(origin)
            let crate = MadeCrate("tidewater", "0.1.0")
            #expect(try await registrar.publish(crate, to: origin.url).status == 200)
            let hash = sha256(try crate.crate())
            let file = "/main/crates/tidewater/0.1.0/\(hash).crate"
            #expect(try await system.edges[0].get(file).status == 200)

            func audit(_ arguments: [String], status: Int32 = 0) async throws -> String {
                try await origin.command(["audit"] + arguments, status: status).text
            }
            let listed = try await audit(["list", "--crate", "tidewater"])
            #expect(listed.contains("publish-new") && listed.contains("127.0.0.1"))

            let folder = system.folder + "/kept"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let key = try #require(
                try await audit(["key"]).split(separator: "\n").last?.split(separator: " ").last.map(String.init))
            _ = try await audit(["checkpoint", "--out", folder + "/one.json"])
            let outside = ["--checkpoint", folder, "--public-key", key]
            #expect(try await audit(["verify"] + outside).contains("no problem"))

            _ = try await audit(["export", "--to", folder + "/audit.jsonl", "--name", "kept"])
            // Lines of the second that lasts are not older than now.
            var moved = ""
            for _ in 0..<50 where !moved.contains("moved") {
                moved = try await audit(["archive", "--keep-days", "0", "--to", folder + "/archive.jsonl"])
                if !moved.contains("moved") { try await Task.sleep(for: .milliseconds(100)) }
            }
            #expect(moved.contains("moved lines 1 to"), "\(moved)")
            let archive = ["--archive", folder + "/archive.jsonl"]
            #expect(try await audit(["verify"] + outside + archive).contains("no problem"))
            #expect(try await audit(["verify"] + outside).contains("no problem"))

            // What the edge served comes in its batch, and is told by token, edge and time.
            var builds = ""
            for _ in 0..<100 where !builds.contains(" eu ") {
                builds = try await audit(["builds", "tidewater@0.1.0"])
                if !builds.contains(" eu ") { try await Task.sleep(for: .milliseconds(200)) }
            }
            #expect(builds.contains(" eu "), "\(builds)")
            #expect(try await audit(["builds", "tidewater"], status: 64).contains("tidewater@0.1.0"))

            // The superuser of the private PostgreSQL takes a line away.
            let script =
                "ALTER TABLE audit DISABLE TRIGGER USER; UPDATE audit SET actor = 'eve' WHERE seq = "
                + "(SELECT max(seq) FROM audit)"
            let tampered = try await runTool("psql", ["-d", database(of: origin), "-c", script])
            #expect(tampered.status == 0, "\(tampered.text)")
            #expect(try await audit(["verify"] + outside, status: 1).contains("was changed"))
        }
    }

    /// As docs/OPERATIONS.md says: line 5 of the pid file is the socket's folder.
    private func database(of origin: LiveOrigin) throws -> String {
        let text = try String(contentsOfFile: origin.data + "/postgres/data/postmaster.pid", encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return "host=\(lines[4]) user=longshore dbname=longshore"
    }
}
