import Foundation
import NIOCore
import Synchronization
import TestSupport
import Testing

/// The backup of docs/OPERATIONS.md, word by word, while publishes run; and its restore on another machine.
@Suite(.serialized)
struct BackupTests {
    @Test func `a backup made under publishes restores clean, and edges serve what it holds`() async throws {
        try await TestDatabase.with(isMigrated: false) { _, databaseURL in
            try await TestBalancer.with { balancer in
                try await LiveSystem.with(edges: ["eu"], databaseURL: databaseURL, balancer: balancer) { system in
                    let registrar = try await Registrar(system.origin)
                    let before = try await publishWhile(registrar, system.origin.url) {
                        try await backUp(databaseURL, system)
                    }
                    // Of this the backup knows nothing, but the edge does.
                    #expect(try await publish("lost", "first", registrar, system.origin.url) == 200)
                    #expect(try await system.edges[0].get("/main/index/lo/st/lost").status == 200)
                    await system.origin.stop()

                    try await restored(databaseURL, system) { origin in
                        balancer.backends = [origin.url]
                        let verified = try await origin.command(["verify"])
                        #expect(verified.text.contains("no problem"), "\(verified.text)")
                        try await check(origin, system.edges[0], registrar, atLeast: before)
                    }
                }
            }
        }
    }

    /// Publishes `crate-0`, `crate-1`, … until `body` has ended.
    ///
    /// - Returns: how many were answered 200 before it began.
    private func publishWhile(
        _ registrar: Registrar, _ url: String, _ body: @Sendable () async throws -> Void
    ) async throws -> Int {
        let progress = Progress()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { progress.end() }
                while !progress.isOver {
                    let crate = MadeCrate("crate-\(progress.published)", "1.0.0")
                    let answer = try await registrar.publish(crate, to: url)
                    guard answer.status == 200 else { throw Unexpected(text: answer.text) }
                    progress.count()
                }
            }
            while progress.published < 5, !progress.isOver { try await Task.sleep(for: .milliseconds(10)) }
            let before = progress.published
            try await body()
            progress.end()
            try await group.waitForAll()
            return before
        }
    }

    private func publish(
        _ name: String, _ content: String, _ registrar: Registrar, _ url: String
    ) async throws -> Int {
        let crate = MadeCrate(name, "1.0.0").file("src/content.txt", content)
        return try await registrar.publish(crate, to: url).status
    }

    /// The two commands of the page.
    private func backUp(_ databaseURL: String, _ system: LiveSystem) async throws {
        let commands = try Self.commands("pg_dump")
        try await shell(
            commands.replacing("DATA/", with: system.origin.data + "/").replacing(
                "backup:/longshore", with: "\(system.folder)/backup"),
            in: system.folder, databaseURL)
    }

    /// Runs an origin on the backup, with a database and a folder of its own.
    private func restored(
        _ databaseURL: String, _ system: LiveSystem, _ body: (LiveOrigin) async throws -> Void
    ) async throws {
        let name = "restored_\(UInt64.random(in: .min ... .max))"
        let url = databaseURL.replacing(#/dbname=\S+/#, with: "dbname=\(name)")
        let origin = try LiveOrigin(number: 9, folder: system.folder + "/other", databaseURL: url)
        let commands = try Self.commands("pg_restore")
        let made = try await runTool("psql", ["-d", databaseURL, "-c", "CREATE DATABASE \(name)"])
        try #require(made.status == 0, "\(made.text)")
        try await shell(
            commands.replacing("DATA/", with: origin.data + "/").replacing(
                "backup:/longshore", with: "\(system.folder)/backup"),
            in: system.folder, url)
        try await origin.start()
        do {
            try await body(origin)
            await origin.stop()
        } catch {
            print(origin.process?.logTail ?? "")
            await origin.stop()
            throw error
        }
        let dropped = try await runTool("psql", ["-d", databaseURL, "-c", "DROP DATABASE \(name) WITH (FORCE)"])
        #expect(dropped.status == 0, "\(dropped.text)")
    }

    /// The page's block of commands in which a word stands.
    private static func commands(_ word: String) throws -> String {
        let page = try String(contentsOfFile: projectFolder + "/docs/OPERATIONS.md", encoding: .utf8)
        let blocks = page.components(separatedBy: "\n```\n")
        return try #require(blocks.first { $0.contains("\n\(word) ") || $0.hasPrefix("\(word) ") })
    }

    private func shell(_ commands: String, in folder: String, _ databaseURL: String) async throws {
        try FileManager.default.createDirectory(
            atPath: "\(folder)/backup/blobs", withIntermediateDirectories: true)
        let result = try await runTool(
            "sh", ["-ec", commands], in: folder, environment: ["DATABASE_URL": databaseURL])
        try #require(result.status == 0, "\(commands)\n\(result.text)")
    }

    private func check(
        _ origin: LiveOrigin, _ edge: LiveEdge, _ registrar: Registrar, atLeast before: Int
    ) async throws {
        // The edge stood at a position that the restored feed does not have: it must not keep what it held.
        var status = 200
        for _ in 0..<300 where status != 404 {
            status = try await edge.get("/main/index/lo/st/lost").status
            if status != 404 { try await Task.sleep(for: .milliseconds(100)) }
        }
        #expect(status == 404, "\(edge.process?.logTail ?? "")")
        for number in 0..<before {
            let crate = MadeCrate("crate-\(number)", "1.0.0")
            let lines = try Line.all(in: try await edge.get("/main/index/cr/at/\(crate.name)"))
            let hash = sha256(try crate.crate())
            #expect(lines.map(\.cksum) == [hash])
            let file = try await edge.get("/main/crates/\(crate.name)/1.0.0/\(hash).crate")
            #expect(file.status == 200 && sha256(file.body.readableBytesView) == hash)
        }
        // The same generation and position as what was lost, and another content.
        #expect(try await publish("lost", "second", registrar, origin.url) == 200)
        let again = MadeCrate("lost", "1.0.0").file("src/content.txt", "second")
        let lines = try Line.all(in: try await edge.get("/main/index/lo/st/lost"))
        #expect(lines.map(\.cksum) == [sha256(try again.crate())])
    }

    private struct Unexpected: Error { let text: String }
}

/// How far the publisher is.
private final class Progress: Sendable {
    private let state = Mutex((published: 0, isOver: false))

    var published: Int { state.withLock { $0.published } }
    var isOver: Bool { state.withLock { $0.isOver } }

    func count() { state.withLock { $0.published += 1 } }
    func end() { state.withLock { $0.isOver = true } }
}
