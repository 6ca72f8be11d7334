import Foundation
import NIOCore
import Registry
import TestSupport
import Testing

@testable import Edge

/// What an edge knows after it was stopped, and what a damaged folder does to it.
struct RestartTests {
    private let foo = "/main/index/3/f/foo"

    @Test func `a restarted edge serves what it held, also while the origin is down`() async throws {
        try await withTemporaryFolder("warm") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            let download = try MadeDownload("foo", "1.0.0")
            origin.change { $0.crates["main/\(download.file)"] = download.bytes }
            try await RunningEdge.run(origin, in: folder) { edge async throws in
                _ = try await edge.get(foo)
                _ = try await edge.get(download.path())
            }
            try await RunningEdge.run(origin, in: folder) { edge async throws in
                #expect(try await edge.get(foo).xCache == "HIT")
                #expect(try await edge.get(download.path()).xCache == "HIT")
            }
            #expect(origin.count(of: "/f/foo") == 1)
            try await origin.stop()
            try await RunningEdge.run(origin, in: folder, isReady: false) { edge async throws in
                let answer = try await edge.get(foo)
                #expect(answer.status == 200)
                #expect(answer.xCache == "STALE")
                let crate = try await edge.get(download.path())
                #expect(crate.bytes == download.bytes)
                #expect(crate.xCache == "STALE")
                #expect(try await edge.get("/main/index/ba/rr/barr").status == 503)
            }
        }
    }

    // I4 across a restart.
    @Test func `what was replaced while the edge was down is not served`() async throws {
        try await withTemporaryFolder("replaced") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            try await RunningEdge.run(origin, in: folder) { edge async throws in _ = try await edge.get(foo) }
            try origin.publish("foo", "two\n", generation: 2)
            try await RunningEdge.run(origin, in: folder) { edge async throws in
                #expect(try await edge.get(foo).body == "two\n")
            }
            try await origin.stop()
        }
    }

    // I8
    @Test func `a damaged file on disk is fetched again, not served`() async throws {
        try await withTemporaryFolder("damage") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            let download = try MadeDownload("foo", "1.0.0")
            origin.change { $0.crates["main/\(download.file)"] = download.bytes }
            try await RunningEdge.run(origin, in: folder) { edge async throws in _ = try await edge.get(download.path())
            }
            let hash = download.checksum.description
            let path = "\(folder)/edge/blobs/\(hash.prefix(2))/\(hash)"
            var bytes = download.bytes
            bytes[17] ^= 1
            try Data(bytes).write(to: URL(filePath: path))
            try await RunningEdge.run(origin, in: folder) { edge async throws in
                #expect(try await edge.get(download.path()).bytes == download.bytes)
            }
            #expect(origin.count(of: "GET /edge/v1/crates/") == 2)
            try await origin.stop()
        }
    }

    @Test func `a damaged catalogue is moved aside and the edge starts cold`() async throws {
        try await withTemporaryFolder("catalogue") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            try await RunningEdge.run(origin, in: folder) { edge async throws in _ = try await edge.get(foo) }
            try Data(repeating: 7, count: 9000).write(to: URL(filePath: "\(folder)/edge/catalogue.sqlite"))
            try await RunningEdge.run(origin, in: folder) { edge async throws in
                #expect(try await edge.get(foo).xCache == "MISS")
            }
            #expect(FileManager.default.fileExists(atPath: "\(folder)/edge/catalogue.sqlite.unusable"))
            try await origin.stop()
        }
    }

    @Test func `files that nobody knows are swept at the start`() async throws {
        try await withTemporaryFolder("sweep") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            try await RunningEdge.run(origin, in: folder) { _ in }
            let hash = try MadeDownload("foo", "1.0.0").checksum.description
            let strangers = ["\(folder)/edge/blobs/\(hash.prefix(2))/\(hash)", "\(folder)/edge/incoming/5"]
            try FileManager.default.createDirectory(
                atPath: "\(folder)/edge/blobs/\(hash.prefix(2))", withIntermediateDirectories: true)
            for path in strangers { try Data([1]).write(to: URL(filePath: path)) }
            try await RunningEdge.run(origin, in: folder) { _ in }
            for path in strangers { #expect(!FileManager.default.fileExists(atPath: path)) }
            try await origin.stop()
        }
    }
}
