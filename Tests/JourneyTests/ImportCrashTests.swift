import Foundation
import Registry
import TestSupport
import Testing

/// I1: an import that is killed at any moment leaves whole batches, and the next one goes on behind them.
@Suite(.serialized)
struct ImportCrashTests {
    private static let crates = 500
    private static let versions = 3

    @Test func `I1: kill -9 of an import, again and again, leaves whole crates, and the last run ends it`() async throws
    {
        var numbers = SeededNumbers("kill -9 of an import")
        try await LiveSystem.with { system in
            _ = try await Registrar(system.origin)
            let source = system.folder + "/source"
            try Self.write(source)
            var known = 0
            var interrupted = 0
            for round in 1...5 {
                // Somewhere in the middle of a batch that comes after so many crates more.
                let more = Int.random(in: 0...60, using: &numbers)
                let delay = Duration.milliseconds(Int.random(in: 0...80, using: &numbers))
                try await Self.killImport(round, of: source, once: known + more, delay, system)
                // Every line has its blob, every index file and the feed agree.
                let verified = try await system.origin.command(["verify"])
                #expect(verified.status == 0, "\(verified.text)")
                let lines = try await Self.lines(system.origin.url)
                #expect(lines.values.allSatisfy { $0.count == Self.versions }, "a crate comes whole or not at all")
                #expect(lines.count >= known)
                known = lines.count
                if (1..<Self.crates).contains(known) { interrupted += 1 }
            }
            #expect(interrupted > 0, "no import was in its middle when it was killed")
            let ended = try await system.origin.command(["import", "main", source])
            let total = Self.crates * Self.versions
            #expect(ended.output.contains("; \(known * Self.versions) were there already, 0 refused"), "\(ended.text)")
            let all = try await Self.lines(system.origin.url)
            #expect(all.count == Self.crates && all.values.allSatisfy { $0 == (0..<Self.versions).map { "1.0.\($0)" } })
            let verified = try await system.origin.command(["verify"])
            #expect(verified.text.contains("\(total) versions"), "\(verified.text)")
        }
    }

    /// Kills an import once the repository has more than `count` crates, and `delay` later; or after it has ended.
    private static func killImport(
        _ round: Int, of source: String, once count: Int, _ delay: Duration, _ system: LiveSystem
    ) async throws {
        let process = ServerProcess(
            "import", arguments: [Program.origin.path, "import", "main", source, "--data", system.origin.data],
            environment: system.origin.commandEnvironment, logPath: "\(system.folder)/import-\(round).log")
        for _ in 0..<6_000 {
            let answer = try await httpGet(system.origin.url + "/main/api/v1/crates?per_page=1")
            let found = try JSONDecoder().decode(Found.self, from: Data(answer.text.utf8))
            if found.meta.total > count || process.logTail.contains("imported ") { break }
            try await Task.sleep(for: .milliseconds(10))
        }
        try await Task.sleep(for: delay)
        await process.killNow()
    }

    private struct Found: Decodable {
        struct Meta: Decodable { let total: Int }
        let meta: Meta
    }

    /// The versions of each crate that the origin serves.
    private static func lines(_ url: String) async throws -> [String: [String]] {
        var found: [String: [String]] = [:]
        for number in 0..<crates {
            let name = name(number)
            let answer = try await httpGet("\(url)/main/index/\(CrateName(name).indexPath)")
            guard answer.status != 404 else { continue }
            try #require(answer.status == 200, "\(answer.text)")
            found[name] = try answer.text.split(separator: "\n").map {
                try IndexLine(parsing: String($0)).version.description
            }
        }
        return found
    }

    private static func name(_ number: Int) -> String { "stone-\(number)" }

    private static func write(_ folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for number in 0..<crates {
            for version in 0..<versions {
                let crate = MadeCrate(name(number), "1.0.\(version)")
                try Data(crate.crate())
                    .write(to: URL(fileURLWithPath: "\(folder)/\(crate.name)-\(crate.version).crate"))
            }
        }
    }
}
