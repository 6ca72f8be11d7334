import Foundation
import TestSupport
import Testing

/// The measuring verbs of `longshore-bench` against a real origin and real edges: not how fast, but that nothing is missed.
@Suite(.serialized)
struct BenchJourneyTests {
    private struct Fanout: Decodable {
        let lost: Int
        let since_request: Times
        let memory_a_subscriber: Int
    }

    private struct Visible: Decodable {
        let edge: String
        let unseen: Int
        let since_request: Times
    }

    private struct Times: Decodable { let count: Int }

    private func secretFile(_ secret: String, _ system: LiveSystem) throws -> String {
        let path = "\(system.folder)/secret-\(UUID().uuidString)"
        try secret.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    @Test func `every subscriber hears of every change, whoever among them has stopped reading`() async throws {
        try await LiveSystem.with(edges: ["eu"]) { system in
            let token = try await Registrar(system.origin).token
            let pid = try #require(system.origin.process?.pid)
            let run = try await runTool(
                Program.bench.path,
                [
                    "fanout", system.origin.url, "--credential-file",
                    try secretFile(try system.edges[0].credential, system), "--token-file",
                    try secretFile(token, system), "--subscribers", "20", "--stuck", "2", "--events", "4", "--rate",
                    "5",
                    "--pid", "\(pid)", "--json",
                ])
            try #require(run.status == 0, "\(run.text)")
            let found = try JSONDecoder().decode(Fanout.self, from: Data(run.output.utf8))
            #expect(found.lost == 0)
            #expect(found.since_request.count == 20 * 4)
            let wrong = try await runTool(
                Program.bench.path,
                [
                    "fanout", system.origin.url, "--credential-file", try secretFile(token, system), "--token-file",
                    try secretFile(token, system), "--subscribers", "2", "--events", "1",
                ])
            #expect(wrong.status == 1)
            #expect(wrong.errors.contains("--credential-file"), "\(wrong.text)")
        }
    }

    @Test func `every published version is seen on each edge`() async throws {
        try await LiveSystem.with { system in
            let token = try await Registrar(system.origin).token
            let edges = system.edges.flatMap { ["--edge", "\($0.name)=\($0.url)"] }
            let run = try await runTool(
                Program.bench.path,
                [
                    "visible", "\(system.origin.url)/main/index/", "--token-file", try secretFile(token, system),
                    "--versions", "4", "--rate", "5", "--json",
                ] + edges)
            try #require(run.status == 0, "\(run.text)")
            let found = try JSONDecoder().decode([Visible].self, from: Data(run.output.utf8))
            #expect(found.map(\.edge) == ["eu", "us"])
            #expect(found.allSatisfy { $0.unseen == 0 && $0.since_request.count == 4 })
        }
    }

    private struct Load: Decodable {
        struct Row: Decodable {
            struct Counts: Decodable {
                let sessions: Int
                let failed: Int
            }

            let kind: String
            let name: String
            let counts: Counts
        }

        struct Step: Decodable { let name: String }

        struct Side: Decodable {
            let rows: [Row]
            let steps: [Step]
            let errors: [String: Int]
        }

        let sides: [Side]
    }

    private func load(_ arguments: [String]) async throws -> Load.Side {
        let run = try await runTool(Program.bench.path, arguments + ["--json"])
        try #require(run.status == 0, "\(run.text)")
        return try #require(try JSONDecoder().decode(Load.self, from: Data(run.output.utf8)).sides.first)
    }

    @Test func `publishers wait until their version is on each edge`() async throws {
        try await LiveSystem.with { system in
            let token = try secretFile(try await Registrar(system.origin).token, system)
            let arguments = [
                "publish", "\(system.origin.url)/main/index/", "--token-file", token, "--users", "3", "--sessions", "9",
                "--warmup", "0s",
            ]
            let edges = system.edges.flatMap { ["--edge", "\($0.name)=\($0.url)"] }
            // The edges that are named, and those that the registry lists: the same two.
            for given in [edges, []] {
                let side = try await load(arguments + given)
                #expect(side.rows.map(\.counts.sessions) == [9] && side.rows.map(\.counts.failed) == [0])
                #expect(Set(side.steps.map(\.name)) == ["answered", "visible at eu", "visible at us"])
                #expect(side.errors.isEmpty)
            }
            let wrong = try await runTool(
                Program.bench.path, arguments + edges + ["--token-file", try secretFile("no token", system)])
            #expect(wrong.status == 1 && wrong.text.contains("publish: status 401"), "\(wrong.text)")
        }
    }

    @Test func `a mixed load resolves, downloads and publishes`() async throws {
        try await LiveSystem.with(edges: ["eu"]) { system in
            let registrar = try await Registrar(system.origin)
            let token = try secretFile(registrar.token, system)
            let index = "sparse+\(system.origin.url)/main/index/"
            let crates = [MadeCrate("bar", "1.0.0"), MadeCrate("foo", "1.0.0").needs("bar", "^1", registry: index)]
            var lock = "version = 4\n"
            for crate in crates {
                #expect(try await registrar.publish(crate, to: system.origin.url).status == 200)
                lock += """
                    \n[[package]]\nname = "\(crate.name)"\nversion = "1.0.0"\nsource = "\(index)"
                    checksum = "\(sha256(try crate.crate()))"\n
                    """
            }
            let lockFile = "\(system.folder)/Cargo.lock"
            try lock.write(toFile: lockFile, atomically: true, encoding: .utf8)
            let kinds = ["resolve-cold", "resolve-warm", "resolve-locked", "fetch", "publish"]
            let side = try await load(
                [
                    "mixed", "\(system.edges[0].url)/main/index/", "--origin", "\(system.origin.url)/main/index/",
                    "--crates", "foo", "--fetch-lock", lockFile, "--token-file", token, "--speech", "h2c", "--users",
                    "4",
                    "--sessions", "120", "--warmup", "0s", "--duration", "60s",
                ] + kinds.map { "--share=\($0)=1" })
            #expect(side.rows.allSatisfy { $0.counts.failed == 0 }, "\(side.errors)")
            let names = Set(side.rows.map { $0.name.isEmpty ? $0.kind : $0.name })
            #expect(names == Set(kinds + ["resolution"]))
        }
    }
}
