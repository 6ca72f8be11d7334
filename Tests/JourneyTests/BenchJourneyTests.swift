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
}
