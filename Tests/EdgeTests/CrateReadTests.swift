import Foundation
import NIOCore
import Registry
import TestSupport
import Testing

@testable import Edge

/// The cases C, and I8: downloads.
struct CrateReadTests {
    private func edge(
        _ download: MadeDownload, _ body: @Sendable @escaping (RunningEdge) async throws -> Void
    ) async throws {
        try await withTemporaryFolder("crates") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            origin.change { script in
                script.repositories = [ScriptedOrigin.entry("main"), ScriptedOrigin.entry("other")]
                script.crates["main/\(download.file)"] = download.bytes
            }
            try await RunningEdge.run(origin, in: folder, body)
            try await origin.stop()
        }
    }

    // C1, C13
    @Test func `a download is fetched once and served from disk after that`() async throws {
        let download = try MadeDownload("Foo", "1.0.0", bytes: 300_000)
        try await edge(download) { edge async throws in
            for xCache in ["MISS", "HIT", "HIT"] {
                let answer = try await edge.get(download.path(), headers: [("accept-encoding", "gzip")])
                #expect(answer.status == 200)
                #expect(answer.xCache == xCache)
                #expect(answer.bytes == download.bytes)
                #expect(answer.headers["content-type"] == "application/gzip")
                #expect(answer.headers["content-encoding"] == nil)
                #expect(answer.headers["cache-control"] == "public, max-age=31536000, immutable")
            }
            #expect(edge.origin.count(of: "/edge/v1/crates/") == 1)
        }
    }

    // C2 of build metadata: cargo sends `+` as it is, others encode it.
    @Test func `a plus sign may be encoded`() async throws {
        let download = try MadeDownload("foo", "1.0.0+b.1")
        try await edge(download) { edge async throws in
            #expect(try await edge.get(download.path()).bytes == download.bytes)
            #expect(try await edge.get(download.path().replacing("+", with: "%2B")).bytes == download.bytes)
            #expect(edge.origin.count(of: "GET /edge/v1/crates/") == 1)
        }
    }

    // C4
    @Test func `an unknown version is 404 and asked about again`() async throws {
        let (known, unknown) = (try MadeDownload("foo", "1.0.0"), try MadeDownload("foo", "9.9.9"))
        try await edge(known) { edge async throws in
            #expect(try await edge.get(unknown.path()).status == 404)
            edge.origin.change { $0.crates["main/\(unknown.file)"] = unknown.bytes }
            #expect(try await edge.get(unknown.path()).status == 200)
        }
    }

    // I7: bytes on disk are not enough.
    @Test func `a file of one repository is not served for another`() async throws {
        let download = try MadeDownload("foo", "1.0.0")
        try await edge(download) { edge async throws in
            #expect(try await edge.get(download.path()).status == 200)
            #expect(try await edge.get(download.path(in: "other")).status == 404)
        }
    }

    // C5, I6
    @Test func `a version that is blocked leaves with its event, and the reason is told`() async throws {
        let download = try MadeDownload("foo", "1.0.0")
        try await edge(download) { edge async throws in
            #expect(try await edge.get(download.path()).status == 200)
            let event = RegistryEvent.version(
                repository: try RepositoryName("main"), crate: try CrateName("foo"), version: "1.0.0")
            try await edge.untilApplied(
                edge.origin.announce(event) { $0.blocked["main/\(download.file)"] = "licence GPL is not allowed here" })
            let answer = try await edge.get(download.path())
            #expect(answer.status == 403)
            #expect(answer.body == "licence GPL is not allowed here\n")
        }
    }

    // I8
    @Test func `bytes that do not fit their hash are never served or kept`() async throws {
        let download = try MadeDownload("foo", "1.0.0")
        try await edge(download) { edge async throws in
            edge.origin.change { $0.damagesCrates = true }
            #expect(try await edge.get(download.path()).status == 503)
            edge.origin.change { $0.damagesCrates = false }
            #expect(try await edge.get(download.path()).bytes == download.bytes)
        }
    }

    // I10
    @Test func `five hundred clients for one absent download are one question`() async throws {
        let download = try MadeDownload("foo", "1.0.0", bytes: 100_000)
        try await edge(download) { edge async throws in
            edge.origin.change { $0.delay = .milliseconds(300) }
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<500 { group.addTask { try await edge.get(download.path()).bytes == download.bytes } }
                for try await isWhole in group { #expect(isWhole) }
            }
            #expect(edge.origin.count(of: "/edge/v1/crates/") == 1)
        }
    }
}
