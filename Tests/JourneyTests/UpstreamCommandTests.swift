import Foundation
import TestSupport
import Testing

/// Upstreams as an administrator has them from the command line.
struct UpstreamCommandTests {
    private struct Listed: Decodable {
        let name: String
        let index: String
        let include: [String]
        let exclude: [String]
        let fresh_seconds: Int
        let allow_private: Bool
        let also_hosts: [String]
        let has_credential: Bool
    }

    @Test func `upstream set changes what it names, and takes a secret from standard input`() async throws {
        try await LiveSystem.with(edges: []) { system in
            let origin = system.origin
            try await origin.command(["repository", "create", "main"])
            try await origin.command([
                "upstream", "add", "main", "up", "sparse+https://one.example/index/", "--exclude", "acme-*",
                "--also-host", "files.example", "--fresh-seconds", "30",
            ])
            let empty = try await origin.command(["upstream", "set", "main", "up"], status: 64)
            #expect(empty.errors.contains("say what to change"))
            try await origin.command(["upstream", "set", "main", "up", "--exclude", "a", "--no-exclude"], status: 64)
            let unknown = try await origin.command(
                ["upstream", "set", "main", "down", "--fresh-seconds", "60"], status: 1)
            #expect(unknown.errors.contains("`main` has no upstream `down`"), "\(unknown.text)")

            try await set(["--fresh-seconds", "60", "--no-exclude", "--allow-private"], origin)
            var now = try await listed(origin)
            #expect(now.fresh_seconds == 60 && now.exclude == [] && now.include == ["*"] && now.allow_private)
            #expect(now.index == "sparse+https://one.example/index/" && now.also_hosts == ["files.example"])
            #expect(!now.has_credential)

            let secret = try await runTool(
                "sh",
                [
                    "-c", "printf '%s\\n' \"$SECRET\" | \"$0\" upstream set main up --credential-file - --data \"$1\"",
                    Program.origin.path, origin.data,
                ], environment: origin.commandEnvironment.merging(["SECRET": "hush-hush"]) { first, _ in first })
            #expect(secret.status == 0, "\(secret.text)")
            #expect(try await listed(origin).has_credential)

            let moved = try await set(
                ["--index", "sparse+https://two.example/", "--no-also-host", "--no-allow-private"], origin)
            #expect(moved.errors.contains("upstream credential main up"), "\(moved.text)")
            now = try await listed(origin)
            #expect(now.index == "sparse+https://two.example/" && now.also_hosts == [] && !now.allow_private)
            #expect(!now.has_credential && now.fresh_seconds == 60)

            try await origin.command(["upstream", "add", "main", "second", "sparse+https://three.example/"])
            try await origin.command(["upstream", "add", "main", "first", "https://four.example/", "--position", "1"])
            let tooFar = try await origin.command(
                ["upstream", "set", "main", "second", "--position", "4"], status: 1)
            #expect(tooFar.errors.contains("`main` has 3 upstreams"), "\(tooFar.text)")
            try await origin.command(["upstream", "set", "main", "second", "--position", "2"])
            #expect(try await list(origin).map(\.name) == ["first", "second", "up"])
            let shown = try await origin.command(["upstream", "show", "main"])
            #expect(shown.output.contains(#/\n2 +second /#), "\(shown.text)")

            let log = try await origin.command(["audit", "list", "--json"]).output
            #expect(log.components(separatedBy: "\"upstream.set\"").count == 1 + 4, "\(log)")
            for part in ["exclude_removed", "also_hosts_removed", "fresh_seconds_before", "position_before"] {
                #expect(log.contains(part), "\(part): \(log)")
            }
            #expect(!log.contains("hush"))
        }
    }

    @discardableResult
    private func set(_ arguments: [String], _ origin: LiveOrigin) async throws -> ToolResult {
        try await origin.command(["upstream", "set", "main", "up"] + arguments)
    }

    private func list(_ origin: LiveOrigin) async throws -> [Listed] {
        let json = try await origin.command(["upstream", "list", "--json"]).output
        return try JSONDecoder().decode([Listed].self, from: Data(json.utf8))
    }

    private func listed(_ origin: LiveOrigin) async throws -> Listed { try #require(try await list(origin).first) }
}
