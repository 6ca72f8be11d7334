import Foundation
import Hummingbird
import Postgres
import TestSupport
import Testing

@testable import Origin

/// Old lines in a file: they still verify, and what is done to them or to the table behind them shows.
struct AuditArchiveTests {
    private struct Archived {
        let path: String
        let keys: [AuditPublicKey]
        var file: AuditArchiveFile { get throws { try AuditArchiveFile(path: path) } }
    }

    private func archiver(_ scene: AuditScene) -> AuditArchiver {
        AuditArchiver(trail: scene.trail, keys: scene.keys, owner: scene.pool, seal: scene.seal)
    }

    private func later() throws -> AuditTime { try #require(AuditTime("2999-01-01", now: 0)) }

    /// Five lines, a key's line among them, in a file, and three more in the table.
    private func with(_ body: (AuditScene, Archived) async throws -> Void) async throws {
        try await AuditScene.with(lines: 4) { scene in
            try await withTemporaryFolder("archive") { folder in
                _ = try await scene.keys.signer(scene.seal)
                let path = folder + "/audit.jsonl"
                let moved = try await archiver(scene).archive(before: later(), needed: nil, to: path)
                #expect(moved == .init(first: 1, last: 5))
                for number in 0..<2 { try await scene.record("later-\(number)") }
                try await body(scene, Archived(path: path, keys: try await scene.keys.publicKeys()))
            }
        }
    }

    @Test func `archive and table verify together, and the table alone by the archive's signed end`() async throws {
        try await with { scene, archived in
            let lines = try await scene.trail.lines(after: 0, upTo: 99)
            #expect(lines.map(\.seq) == [6, 7, 8])
            #expect(lines.first?.action == "audit.archive")
            #expect(try await scene.problems(keys: archived.keys, archives: [archived.file]) == [])
            #expect(try await scene.problems(keys: archived.keys) == [])
        }
    }

    @Test func `a folder without checkpoints proves nothing, and says so`() async throws {
        try await withTemporaryFolder("checkpoints") { folder in
            let error = #expect(throws: WholeFile.Failure.self) { try AuditCheckpoints.read(folder) }
            #expect(error?.description.contains("holds no checkpoint") == true)
            try "".write(toFile: folder + "/empty.json", atomically: true, encoding: .utf8)
            #expect(throws: WholeFile.Failure.self) { try AuditCheckpoints.read(folder) }
            #expect(throws: WholeFile.Failure.self) { try AuditCheckpoints.read(folder + "/empty.json") }
        }
    }

    @Test func `the next archive begins where the last one ended`() async throws {
        try await with { scene, archived in
            let second = archived.path + ".2"
            let moved = try await archiver(scene).archive(before: later(), needed: 7, to: second)
            #expect(moved == .init(first: 6, last: 7))
            let files = [try archived.file, try AuditArchiveFile(path: second)]
            #expect(try await scene.problems(keys: archived.keys, archives: files) == [])
            #expect(try await scene.problems(keys: archived.keys, archives: [files[1]]).count == 1)
            #expect(try await scene.problems(keys: archived.keys) == [])
        }
    }

    @Test(arguments: [
        ("\"ann\"", "\"eve\"", "was changed"), ("action-1", "action-9", "line 2 was changed"),
        ("\"seq\":3", "\"seq\":2", "line 2 stands after line 2"),
    ])
    func `a changed archive shows`(old: String, new: String, finding: String) async throws {
        try await with { scene, archived in
            let text = try String(contentsOfFile: archived.path, encoding: .utf8)
            try text.replacing(old, with: new, maxReplacements: 1).write(
                toFile: archived.path, atomically: true, encoding: .utf8)
            let problems = try await scene.problems(keys: archived.keys, archives: [archived.file])
            #expect(problems.contains { $0.contains(finding) }, "\(problems)")
        }
    }

    @Test func `an archive that was written anew with another end is not signed`() async throws {
        try await with { scene, archived in
            var lines = try String(contentsOfFile: archived.path, encoding: .utf8).split(separator: "\n").map(
                String.init)
            var changed = try AuditLine(json: lines[4])
            changed.actor = "eve"
            changed.hash = changed.expectedHash
            lines[4] = changed.json
            let place = AuditChain.Place(seq: 5, hash: changed.hash)
            lines[5] = try AuditCheckpoint(place, at: changed.at, signedBy: AuditKey()).json
            try (lines.joined(separator: "\n") + "\n").write(toFile: archived.path, atomically: true, encoding: .utf8)
            let problems = try await scene.problems(keys: archived.keys, archives: [archived.file])
            #expect(problems.contains { $0.contains("is not signed by a key that is trusted") })
            #expect(problems.contains("line 6 does not follow line 5: it names another hash"))
        }
    }

    @Test func `lines that are taken from the front behind an archive's back show`() async throws {
        try await with { scene, archived in
            try await scene.tamper("DELETE FROM audit WHERE seq = 6")
            #expect(
                try await scene.problems(keys: archived.keys)
                    == ["the chain begins at line 7, and no signed archive accounts for the lines before it"])
            // Who also forges the row of an archive has no key that was kept.
            let front = try #require(try await scene.trail.lines(after: 0, upTo: 9).first)
            let place = AuditChain.Place(seq: 6, hash: front.prev)
            let forged = try AuditCheckpoint(place, at: front.at, signedBy: AuditKey()).json
            _ = try await scene.pool.execute("INSERT INTO audit_archives VALUES (6, 6, \(forged))")
            #expect(try await scene.problems(keys: archived.keys).count == 2)
        }
    }

    @Test func `what somebody still needs, or is broken, is not moved`() async throws {
        try await AuditScene.with(lines: 5) { scene in
            try await withTemporaryFolder("archive") { folder in
                let archiver = archiver(scene)
                #expect(try await archiver.archive(before: later(), needed: 0, to: folder + "/a") == nil)
                #expect(try await archiver.held(before: later(), needed: 2) == 3...5)
                #expect(try await archiver.held(before: later(), needed: 5) == nil)
                #expect(try await archiver.held(before: later(), needed: nil) == nil)
                let past = try #require(AuditTime("2001-01-01", now: 0))
                #expect(try await archiver.archive(before: past, needed: nil, to: folder + "/a") == nil)
                #expect(try await archiver.held(before: past, needed: 0) == nil)
                try await scene.tamper("UPDATE audit SET actor = 'eve' WHERE seq = 2")
                let error = await #expect(throws: Refusal.self) {
                    try await archiver.archive(before: later(), needed: nil, to: folder + "/a")
                }
                #expect(error?.detail.contains("line 2 was changed") == true)
                #expect(!FileManager.default.fileExists(atPath: folder + "/a"))
                #expect(try await scene.trail.lines(after: 0, upTo: 9).count == 5)
            }
        }
    }

    @Test func `what begins behind a gap is not signed as whole`() async throws {
        try await AuditScene.with(lines: 4) { scene in
            try await withTemporaryFolder("archive") { folder in
                try await scene.tamper("DELETE FROM audit WHERE seq <= 2")
                let error = await #expect(throws: Refusal.self) {
                    try await archiver(scene).archive(before: later(), needed: nil, to: folder + "/a")
                }
                #expect(error?.detail.contains("lines 1 to 2 are missing") == true)
                #expect(!FileManager.default.fileExists(atPath: folder + "/a"))
            }
        }
    }

    @Test func `an export and a webhook hold back what they have not got`() async throws {
        try await AuditScene.with(lines: 3) { scene in
            let (cursors, webhooks) = (ExportCursors(pool: scene.pool), WebhookStore(pool: scene.pool))
            #expect(try await cursors.lowest() == nil)
            #expect(try await webhooks.lowest() == nil)
            _ = try await cursors.hold("siem", as: "one", beginningAfter: 2)
            #expect(try await cursors.lowest() == 2)
            try await webhooks.add(
                name: "chat", url: "https://x.example/", actions: ["publish"], allowsPrivate: false, secret: [1],
                scene.seal, by: .commandLine)
            #expect(try await webhooks.lowest() == 3)
            try await scene.record("publish")
            while try await webhooks.enqueue(from: scene.trail) {}
            #expect(try await webhooks.lowest() == 4)
        }
    }
}
