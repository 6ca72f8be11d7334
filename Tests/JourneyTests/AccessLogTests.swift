import Foundation
import NIOCore
import Registry
import Synchronization
import TestSupport
import Testing

/// Counts that are true to the last request, whatever is killed in between.
struct AccessLogTests {
    /// What clients know: answers that they have whole, and tries that ended in a broken connection.
    private final class Known: Sendable {
        private let counts = Mutex<(whole: [String: Int], broken: [String: Int])>(([:], [:]))

        var whole: [String: Int] { counts.withLock { $0.whole } }
        var broken: [String: Int] { counts.withLock { $0.broken } }

        func got(_ version: String) { counts.withLock { $0.whole[version, default: 0] += 1 } }
        func lost(_ version: String) { counts.withLock { $0.broken[version, default: 0] += 1 } }
    }

    private struct File {
        let version: String
        let path: String
        let bytes: Int
    }

    private func publish(_ system: LiveSystem) async throws -> [File] {
        let registrar = try await Registrar(system.origin)
        var files: [File] = []
        for (number, lines) in [1, 400, 20_000].enumerated() {
            let crate = MadeCrate("keel", "1.0.\(number)")
                .file("src/data.rs", (0..<lines).map { "// \($0 &* (number + 7) &* 2_654_435_761)\n" }.joined())
            let answer = try await registrar.publish(crate, to: system.origin.url)
            try #require(answer.status == 200, "\(answer.text)")
            let bytes = try crate.crate()
            files.append(
                File(
                    version: crate.version, path: "/main/crates/keel/1.0.\(number)/\(sha256(bytes)).crate",
                    bytes: bytes.count))
        }
        return files
    }

    /// Downloads until the connection breaks or `most` are had.
    private func read(_ files: [File], from edge: LiveEdge, most: Int, _ known: Known) async {
        for number in 0..<most {
            let file = files[number % files.count]
            do {
                let answer = try await edge.get(file.path)
                guard answer.status == 200, answer.body.readableBytes == file.bytes else { continue }
                known.got(file.version)
            } catch {
                return known.lost(file.version)
            }
        }
    }

    private struct Said: Decodable {
        struct Version: Decodable {
            let version: String
            let total: Int
        }
        let versions: [Version]
    }

    private func counted(_ origin: LiveOrigin) async throws -> [String: Int] {
        let answer = try await httpGet(origin.url + "/main/api/v1/crates/keel/downloads")
        try #require(answer.status == 200, "\(answer.text)")
        let said = try JSONDecoder().decode(Said.self, from: Data(answer.text.utf8))
        return Dictionary(uniqueKeysWithValues: said.versions.map { ($0.version, $0.total) })
    }

    /// Waits until every edge has told everything; a minute at most.
    private func settled(_ system: LiveSystem, _ holds: ([String: Int]) -> Bool) async throws -> [String: Int] {
        for _ in 0..<120 {
            let counts = try await counted(system.origin)
            if holds(counts) {
                // Whatever is too much would come with the next batches.
                try await Task.sleep(for: .seconds(5))
                return try await counted(system.origin)
            }
            try await Task.sleep(for: .milliseconds(500))
        }
        return try await counted(system.origin)
    }

    @Test func `downloads are counted exactly once through kill -9 of edges and origin`() async throws {
        var numbers = SeededNumbers("access log")
        try await TestDatabase.with { _, connectionString in
            try await LiveSystem.with(databaseURL: connectionString) { system in
                let files = try await publish(system)
                let known = Known()
                for edge in system.edges { await read(files, from: edge, most: files.count, known) }
                for round in 0..<6 {
                    let delay = Int.random(in: 20...700, using: &numbers)
                    await withTaskGroup(of: Void.self) { group in
                        for edge in system.edges {
                            for _ in 0..<3 { group.addTask { await read(files, from: edge, most: 60, known) } }
                        }
                        try? await Task.sleep(for: .milliseconds(delay))
                        if round % 3 != 0 { await system.origin.killNow() }
                        if round % 3 != 1 { await system.edges[round % 2].killNow() }
                    }
                    // Away for the whole of the next round's first half: what edges serve meanwhile waits with them.
                    if round % 3 != 1 { try await system.edges[round % 2].start() }
                    if round % 3 != 0 { try await system.origin.start() }
                }
                let rough = try await settled(system) { counts in
                    known.whole.allSatisfy { counts[$0.key] ?? 0 >= $0.value }
                }
                for file in files {
                    let (whole, broken) = (known.whole[file.version] ?? 0, known.broken[file.version] ?? 0)
                    // Who has the file is counted; of a broken try only the edge can know whether all of it had left.
                    #expect((whole...whole + broken).contains(rough[file.version] ?? 0), "\(file.version)")
                    #expect(broken <= 6 * 6)
                }
                try await killsBetweenRequests(system, files, after: rough)
                let downloads = try await counted(system.origin).values.reduce(0, +)
                #expect(try await trail(system.origin) == downloads)
            }
        }
    }

    /// Killed right behind the last answer, before anything was told or even spooled: exact to the last request.
    private func killsBetweenRequests(_ system: LiveSystem, _ files: [File], after rough: [String: Int]) async throws {
        let known = Known()
        for round in 0..<5 {
            if round == 2 { await system.origin.killNow() }
            for edge in system.edges {
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<4 { group.addTask { await read(files, from: edge, most: 30, known) } }
                }
                await edge.killNow()
                try await edge.start()
            }
            if round == 3 { try await system.origin.start() }
        }
        try #require(known.broken == [:])
        let expected = rough.merging(known.whole, uniquingKeysWith: +)
        // Five rounds, two edges, four clients, thirty downloads each.
        #expect(known.whole.values.reduce(0, +) == 1200)
        let counts = try await settled(system) { $0 == expected }
        #expect(counts == expected)
    }

    /// How many pulls the trail has, read page by page as an auditor would.
    private func trail(_ origin: LiveOrigin) async throws -> Int {
        struct Pull: Decodable { let id: Int }
        var count = 0
        var page: [String] = []
        while true {
            let text = try await origin.command(["pulls", "--limit", "1000", "--json"] + page).output
            let pulls = try JSONDecoder().decode([Pull].self, from: Data(text.utf8))
            count += pulls.count
            guard let last = pulls.last else { return count }
            page = ["--before", "\(last.id)"]
        }
    }
}
