import Foundation
import NIOCore
import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

struct VerifierTests {
    @Test func `an undamaged repository has no problem`() async throws {
        try await Self.imported { scene in
            let (tally, problems) = try await scene.verify()
            #expect(problems == [])
            #expect(tally.crates == 2 && tally.versions == 3)
            #expect(tally.bytesRead > 0 && tally.orphanBlobs == 0)
        }
    }

    @Test func `a flipped byte is found by reading, not by the quick look`() async throws {
        try await Self.imported { scene in
            let path = try await Self.blobPath(scene)
            var bytes = try #require(FileManager.default.contents(atPath: path))
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: URL(fileURLWithPath: path))
            #expect(try await scene.verify().problems.map(\.kind) == [.blobBytes])
            #expect(try await scene.verify(isQuick: true).problems == [])
        }
    }

    @Test(arguments: [true, false])
    func `a blob that is gone or cut is found`(isQuick: Bool) async throws {
        try await Self.imported { scene in
            let path = try await Self.blobPath(scene)
            let bytes = try #require(FileManager.default.contents(atPath: path))
            try bytes.dropLast().write(to: URL(fileURLWithPath: path))
            #expect(try await scene.verify(isQuick: isQuick).problems.first?.kind == .blobSize)
            try FileManager.default.removeItem(atPath: path)
            let problems = try await scene.verify(isQuick: isQuick).problems
            #expect(problems.map(\.kind) == [.blobMissing])
            #expect(problems.first?.place == "main foo 1.0.0")
        }
    }

    @Test(arguments: [
        ("UPDATE versions SET line = 'garbage' WHERE number = '1.0.0'", VerifyProblem.Kind.line),
        ("UPDATE versions SET line = replace(line, '\"foo\"', '\"fob\"') WHERE number = '1.0.0'", .line),
        ("UPDATE versions SET line = line || E'\\n' WHERE number = '1.0.0'", .line),
        ("UPDATE versions SET yanked = true WHERE number = '1.0.0'", .line),
        ("UPDATE versions SET bare_number = '9.9.9' WHERE number = '1.0.0'", .version),
        ("UPDATE crates SET index_checksum = sha256('x') WHERE name = 'foo'", .indexFile),
        ("UPDATE crates SET index_bytes = 1 WHERE name = 'foo'", .indexFile),
        ("UPDATE crates SET generation = 0 WHERE name = 'foo'", .indexFile),
        ("UPDATE crates SET newest = '1.0.0' WHERE name = 'foo'", .crate),
        ("UPDATE crates SET identity = 'other' WHERE name = 'foo'", .crate),
        ("UPDATE checksums SET checksum = sha256('x') WHERE bare_number = '1.0.0'", .checksums),
        ("DELETE FROM checksums WHERE bare_number = '1.0.0'", .checksums),
        ("DELETE FROM versions WHERE number = '2.0.0'", .crate),
        ("DELETE FROM feed WHERE position = 2", .feed),
        ("DELETE FROM feed", .feed),
        ("UPDATE feed_head SET position = position + 1", .feed),
        ("DELETE FROM feed_head", .feed),
    ])
    func `a row that was changed by hand is found`(sql: String, kind: VerifyProblem.Kind) async throws {
        try await Self.imported { scene in
            _ = try await scene.pool.execute(Query(stringLiteral: sql))
            let problems = try await scene.verify(isQuick: true).problems
            #expect(problems.contains { $0.kind == kind }, "\(problems)")
        }
    }

    @Test func `files that no version names are counted, not blamed`() async throws {
        try await Self.imported { scene in
            let writer = try await scene.blobs.begin()
            try await writer.write(.init(string: "nobody names me"))
            try await writer.commit(writer.written.checksum)
            let unfinished = try await scene.blobs.begin()
            try await unfinished.write(.init(string: "half"))
            let (tally, problems) = try await scene.verify()
            #expect(problems == [])
            #expect(tally.orphanBlobs == 1 && tally.unfinishedUploads == 1)
            await unfinished.discard()
        }
    }

    /// foo 1.0.0 and 1.1.0, bar 2.0.0.
    private static func imported(_ body: (ImportScene) async throws -> Void) async throws {
        try await ImportScene.with { scene in
            try scene.offer(MadeCrate("foo", "1.0.0"), MadeCrate("foo", "1.1.0"), MadeCrate("bar", "2.0.0"))
            try await scene.importAll()
            try await body(scene)
        }
    }

    private static func blobPath(_ scene: ImportScene) async throws -> String {
        scene.blobs.path(try #require(try await scene.lines("foo").first).checksum)
    }
}
