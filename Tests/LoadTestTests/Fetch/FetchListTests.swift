import Crypto
import Foundation
import NIOCore
import TestSupport
import Testing

@testable import LoadTest

/// Downloads of a lock file's crates from a live registry, whose config.json says where they lie.
struct FetchListTests {
    private static let sum = SHA256.hash(data: Array("the crate".utf8)).map { byte in
        String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }.joined()

    private func lock(_ names: [String], in folder: String) throws -> String {
        let text = names.map { name in
            "[[package]]\nname = \"\(name)\"\nversion = \"1.0.0\"\nsource = \"s\"\nchecksum = \"\(Self.sum)\"\n"
        }
        try text.joined(separator: "\n").write(toFile: folder + "/Cargo.lock", atomically: true, encoding: .utf8)
        return folder + "/Cargo.lock"
    }

    private func session(_ maker: FetchMaker) async -> SessionRecord {
        var random = SeededRandom(seed: 1)
        return await maker.session(user: 0, number: 0, intended: .now(), random: &random)
    }

    @Test func `config_json says where the crates of a lock file lie, and all are asked at once`() async throws {
        try await withTemporaryFolder("fetch") { folder in
            let lock = try lock(["a", "b", "c"], in: folder)
            try await StaticIndex.with { index, url in
                for name in ["a", "b", "c"] { index.set("/dl/\(name)", "the crate") }
                let list = FetchList(lock: lock, paths: nil, speech: .http2, caFile: nil)
                let record = await session(try await list.maker(url, nil))
                #expect(!record.hasFailed && record.errors.isEmpty)
                #expect((record.requests, record.connections, record.bytes) == (3, 1, 27))
                #expect(index.asked.first?.path == "/index/config.json")
                #expect(index.asked.dropFirst().map(\.path).sorted() == ["/dl/a", "/dl/b", "/dl/c"])
                #expect(record.steps.map(\.name) == ["crate", "crate", "crate"])
            }
        }
    }

    @Test func `a token goes along with every request`() async throws {
        try await withTemporaryFolder("fetch") { folder in
            let lock = try lock(["a"], in: folder)
            try await StaticIndex.with(token: "secret") { index, url in
                index.set("/dl/a", "the crate")
                let list = FetchList(lock: lock, paths: nil, speech: .upgrade, caFile: nil)
                let record = await session(try await list.maker(url, "secret"))
                #expect(!record.hasFailed)
                #expect(index.asked.map(\.token) == ["secret", "secret"])
                await #expect(throws: BenchFailure.self) { try await list.maker(url, nil) }
            }
        }
    }

    @Test func `a wrong crate and a missing one are told apart`() async throws {
        try await withTemporaryFolder("fetch") { folder in
            let lock = try lock(["a", "b"], in: folder)
            try await StaticIndex.with { index, url in
                index.set("/dl/a", "another crate")
                let list = FetchList(lock: lock, paths: nil, speech: .http1, caFile: nil)
                let record = await session(try await list.maker(url, nil))
                #expect(record.hasFailed)
                #expect(record.errors == [FetchMaker.wrongChecksum: 1, "status 404": 1])
            }
        }
    }

    @Test func `over TLS an authority that is named is trusted, and no other`() async throws {
        try await withTemporaryFolder("fetch") { folder in
            let authority = try await TestAuthority(in: folder, names: ["IP:127.0.0.1"])
            let lock = try lock(["a"], in: folder)
            try await StaticIndex.with(authority: authority) { index, url in
                index.set("/dl/a", "the crate")
                let trusting = FetchList(lock: lock, paths: nil, speech: .http2, caFile: authority.certificate)
                let record = await session(try await trusting.maker(url, nil))
                #expect(!record.hasFailed)
                let strange = FetchList(lock: lock, paths: nil, speech: .http2, caFile: nil)
                await #expect(throws: BenchFailure.self) { try await strange.maker(url, nil) }
            }
        }
    }
}
