import Crypto
import Foundation
import NIOCore
import Registry
import TestSupport
import Testing

@testable import LoadTest

/// One cargo after the other against a real server.
struct ResolveSessionTests {
    private func maker(
        _ url: String, _ home: CargoHome.Kind = .cold, crates: [String] = ["a"], token: String? = nil,
        speech: WireTarget.Speech = .upgrade, caFile: String? = nil
    ) throws -> ResolveMaker {
        ResolveMaker(
            place: try RegistryPlace(url, speech, token: token, caFile: caFile), home: CargoHome(home),
            library: IndexLibrary(),
            applications: [Application(name: "app", CargoModel(root: try RootPackage.crates(crates)))])
    }

    private func session(_ maker: ResolveMaker) async -> SessionRecord {
        var random = SeededRandom(seed: 1)
        return await maker.session(user: 0, number: 0, intended: .now(), random: &random)
    }

    private func names(_ asked: [StaticIndex.Asked]) -> [String] {
        asked.map { String($0.path.split(separator: "/").last ?? "") }
    }

    @Test(arguments: WireTarget.Speech.allCases)
    func `a cold session asks for everything anew, each time`(speech: WireTarget.Speech) async throws {
        try await StaticIndex.with { index, url in
            try index.add("a", ["b"])
            try index.add("b")
            let maker = try maker(url, speech: speech)
            for round in 1...2 {
                let record = await session(maker)
                #expect(!record.hasFailed && record.errors.isEmpty)
                #expect((record.requests, record.rounds, record.notModified) == (3, 3, 0))
                #expect(record.spoken == SpokenCount(http1: speech == .http1 ? 3 : 0, http2: speech == .http1 ? 0 : 3))
                #expect(record.name == "app" && record.kind == .resolution && record.ended > record.began)
                #expect(
                    names(index.asked) == Array(repeating: ["config.json", "a", "b"], count: round).flatMap(\.self))
            }
            #expect(index.asked.allSatisfy { $0.tag == nil && $0.token == nil })
        }
    }

    @Test func `a warm session revalidates all but config_json, and learns what is new`() async throws {
        try await StaticIndex.with { index, url in
            try index.add("a", ["b"])
            try index.add("b")
            try index.add("c")
            let maker = try maker(url, .warm)
            try await maker.learn()
            let record = await session(maker)
            #expect((record.requests, record.notModified) == (3, 2))
            #expect(index.asked.suffix(3).map { $0.tag != nil } == [false, true, true])
            try index.add("a", ["c"])
            let after = await session(maker)
            #expect(!after.hasFailed && after.notModified == 0)
            // `c` was never read before.
            #expect(names(index.asked.suffix(3)) == ["config.json", "a", "c"])
            #expect(index.asked.suffix(3).map { $0.tag != nil } == [false, true, false])
        }
    }

    @Test func `a file that is gone is forgotten, counted, and no failure of the server`() async throws {
        try await StaticIndex.with { index, url in
            try index.add("a", ["b"])
            try index.add("b")
            let maker = try maker(url, .warm)
            try await maker.learn()
            index.set("/index/1/b", nil)
            let record = await session(maker)
            #expect(record.errors["no such crate (404)"] == 1)
            #expect(record.errors.keys.contains { $0.hasPrefix("no resolution: nothing fits `b") })
            try index.add("b")
            #expect(await !session(maker).hasFailed)
            #expect(index.asked.suffix(1).map(\.tag) == [nil])
        }
    }

    @Test func `after a 401 the token goes along, and a warm home knows that from the start`() async throws {
        try await StaticIndex.with(token: "Bearer secret") { index, url in
            try index.add("a")
            let cold = await session(try maker(url, token: "Bearer secret"))
            #expect(!cold.hasFailed && cold.errors.isEmpty)
            #expect(index.asked.map(\.token) == [nil, "Bearer secret", "Bearer secret"])
            let warm = try maker(url, .warm, token: "Bearer secret")
            try await warm.learn()
            let record = await session(warm)
            #expect((record.requests, record.hasFailed) == (2, false))
            #expect(index.asked.suffix(2).map(\.token) == ["Bearer secret", "Bearer secret"])
        }
    }

    @Test func `without a token or with a wrong one the session fails and says so`() async throws {
        try await StaticIndex.with(token: "right") { index, url in
            try index.add("a")
            for token in [nil, "wrong"] {
                let record = await session(try maker(url, token: token))
                #expect(record.hasFailed)
                #expect(record.errors["status 401"] == 1)
            }
        }
    }

    @Test func `a busy server is asked again, and the session goes on`() async throws {
        try await StaticIndex.with { index, url in
            try index.add("a", ["b"])
            try index.add("b")
            index.refuse("/index/1/a", [503, 503])
            let record = await session(try maker(url))
            #expect(!record.hasFailed)
            #expect((record.requests, record.retries, record.rounds) == (5, 2, 3))
            #expect(record.errors == ["status 503": 2])
        }
    }

    @Test(arguments: [
        (401, ["status 401": 1]), (403, ["status 403": 1]), (404, ["no config.json (404)": 1]),
        (302, ["no config.json (302)": 1]),
    ])
    func `a config_json that does not come is one error of one kind`(status: Int, errors: [String: Int]) async throws {
        try await StaticIndex.with { index, url in
            index.refuse("/index/config.json", [status])
            let record = await session(try maker(url))
            #expect(record.hasFailed && record.errors == errors)
        }
    }

    @Test func `TLS where none is spoken is named in a few words`() async throws {
        try await StaticIndex.with { _, url in
            let record = await session(try maker(url.replacing("http://", with: "https://"), speech: .http2))
            #expect(Array(record.errors.keys) == ["no connection: TLS: it speaks no TLS"])
        }
    }

    @Test func `redirects are followed each time, and another server gets no token`() async throws {
        try await StaticIndex.with { elsewhere, far in
            try elsewhere.add("b")
            try await StaticIndex.with(token: "secret") { index, url in
                try index.add("a", ["b"])
                index.redirect("/index/config.json", to: "/index/moved.json")
                index.set("/index/moved.json", #"{"dl":"http://127.0.0.1/dl","auth-required":true}"#)
                index.redirect("/index/1/b", to: far + "1/b")
                let maker = try maker(url, token: "secret")
                for round in 1...2 {
                    let record = await session(maker)
                    #expect(!record.hasFailed && record.errors.isEmpty, "\(record.errors)")
                    // config.json and where it lies, without the token and with it, then a, and b twice.
                    #expect((record.requests, record.rounds) == (7, 4))
                    #expect(elsewhere.asked.count == round)
                }
                #expect(elsewhere.asked.allSatisfy { $0.path == "/index/1/b" && $0.token == nil })
                #expect(index.asked.last { $0.path == "/index/1/b" }?.token == "secret")
            }
        }
    }

    @Test func `a circle of redirects ends`() async throws {
        try await StaticIndex.with { index, url in
            try index.add("a")
            index.redirect("/index/1/a", to: "/index/1/a")
            let record = await session(try maker(url))
            #expect(record.hasFailed && record.errors == ["no index file (307)": 1])
            #expect(record.requests == 2 + WireRedirect.hopsMax)
        }
    }

    @Test func `a redirect that says no place is an error with its status`() async throws {
        try await StaticIndex.with { index, url in
            try index.add("a")
            index.refuse("/index/1/a", [302])
            let record = await session(try maker(url))
            #expect(record.hasFailed && record.errors == ["no index file (302)": 1])
        }
    }

    @Test func `a locked home downloads all crates at the end, and checks them`() async throws {
        try await StaticIndex.with { index, url in
            let sum = SHA256.hash(data: Array("the crate".utf8)).map {
                String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
            }
            try index.add("a", ["b"], checksum: sum.joined())
            try index.add("b", checksum: sum.joined())
            index.set("/dl/a", "the crate")
            index.set("/dl/b", "the crate")
            let record = await session(try maker(url, .locked))
            #expect(!record.hasFailed && record.errors.isEmpty)
            #expect((record.requests, record.rounds) == (5, 4))
            #expect(Set(names(index.asked.suffix(2))) == ["a", "b"])
            index.set("/dl/b", "another")
            let wrong = await session(try maker(url, .locked))
            #expect(wrong.hasFailed && wrong.errors == [FetchMaker.wrongChecksum: 1])
        }
    }

    @Test func `over TLS a certificate counts only if its authority is trusted`() async throws {
        try await withTemporaryFolder("resolve") { folder in
            let authority = try await TestAuthority(in: folder, names: ["IP:127.0.0.1"])
            try await StaticIndex.with(authority: authority) { index, url in
                try index.add("a")
                for speech in [WireTarget.Speech.http1, .http2] {
                    let trusted = try maker(url, speech: speech, caFile: authority.certificate)
                    #expect(await !session(trusted).hasFailed)
                }
                let before = index.asked.count
                let place = try RegistryPlace(url, .http2, token: nil, caFile: nil)
                let client = try place.client(for: place.target)
                let outcomes = await client.wire.burst([WireRequest(path: "/index/config.json")])
                await client.wire.close()
                guard case .failure(let failure)? = outcomes.first else {
                    Issue.record("a stranger's certificate was taken")
                    return
                }
                #expect(failure == .cannotConnect(Reason.untrusted), "\(failure.kind)")
                // As cargo: such a server is not asked again.
                let record = await session(try maker(url, speech: .http2))
                #expect(record.hasFailed && record.retries == 0)
                #expect(record.errors == [failure.kind: 1])
                #expect(index.asked.count == before)
            }
        }
    }
}
