import Foundation
import NIOCore
import Postgres
import Registry
import Signing
import TestSupport
import Testing

@testable import Origin

/// What edges refused becomes lines of the audit log: each batch once, named as far as the origin can.
struct RefusalIntakeTests {
    private static let now = Int(Date().timeIntervalSince1970)

    private func refusal(_ rule: String, _ count: Int = 1, _ change: (inout AccessRefusal) -> Void = { _ in })
        -> AccessRefusal
    {
        var refusal = AccessRefusal(first: Self.now - 60, last: Self.now - 50, count: count, rule: rule)
        refusal.repository = "secret"
        refusal.address = "192.0.2.7"
        refusal.request = "4711"
        refusal.path = "GET /secret/index/3/f/foo"
        refusal.reason = "because"
        change(&refusal)
        return refusal
    }

    private func batch(_ number: Int64, _ refusals: [AccessRefusal]?) -> AccessBatch {
        AccessBatch(
            spool: String(repeating: "ab", count: 16), number: number, pulls: [], reads: [], refusals: refusals)
    }

    private func send(_ batch: AccessBatch, _ origin: TestOrigin, as edge: String) async throws -> HTTPAnswer {
        let text = String(decoding: try JSONEncoder().encode(batch), as: UTF8.self)
        return try await origin.call("POST", EdgeWire.accessPath, as: .edge(edge), json: text)
    }

    private func lines(_ origin: TestOrigin) async throws -> [AuditLine] {
        try await origin.slices.accessNotes.flush()
        return try await origin.slices.auditTrail.lines(after: 0, upTo: .max).filter { $0.action == "access.refused" }
    }

    @Test func `a batch's refusals are lines with edge, rule, address and holder, once`() async throws {
        try await TestOrigin.with { origin in
            try await origin.repository("secret", isPrivate: true)
            let edge = try await origin.edge("eu")
            let eve = try await origin.made("eve", [.read], in: ["other"])
            let gone = try await origin.made("gone", [.read])
            _ = try await origin.slices.tokens.revoke(id: gone.record.id, by: .commandLine)
            let told = batch(
                1,
                [
                    refusal("no-token", 5), refusal("token-malformed"),
                    refusal("not-allowed") { $0.subject = "\(eve.record.id)" },
                    refusal("token-unknown", 3) { $0.sha256 = "\(gone.secret.hash)" },
                    refusal("token-unknown") { $0.sha256 = String(repeating: "0", count: 64) },
                    refusal("signed-url-ended-token") { $0.subject = "99999" },
                    refusal("no-gpl", 2) { ($0.crate, $0.version) = ("Foo-Bar", "1.0.0") },
                    refusal("over-the-limit", 70) { ($0.address, $0.repository) = (nil, nil) },
                ])
            #expect(try await send(told, origin, as: edge).text == #"{"refused":0,"taken":true}"#)
            // Its answer was lost.
            for _ in 0..<3 { #expect(try await send(told, origin, as: edge).text.contains(#""taken":false"#)) }

            let lines = try await lines(origin)
            #expect(
                lines.map { "\($0.actor) \($0.rule ?? "-") \($0.detail["count"] ?? "")" } == [
                    "no token no-token 5", "bad token token-malformed 1", "eve not-allowed 1", "gone token-revoked 3",
                    "bad token token-unknown 1", "token 99999 signed-url-ended-token 1", "no token no-gpl 2",
                    "many others over-the-limit 70",
                ])
            #expect(lines.allSatisfy { $0.detail["edge"] == "eu" && $0.request == "4711" })
            #expect(lines.map(\.token) == [nil, nil, eve.record.id, gone.record.id, nil, nil, nil, nil])
            #expect(lines.dropLast().allSatisfy { $0.address == "192.0.2.7" && $0.repository == "secret" })
            #expect(lines.last?.address == nil)
            let blocked = lines[6]
            #expect(blocked.crate == "Foo-Bar" && blocked.version == "1.0.0")
            let first = try #require(Pubtime(secondsSince1970: Int64(Self.now - 60)))
            #expect(blocked.detail["first"] == "\(first)" && blocked.detail["path"]?.hasPrefix("GET /secret") == true)
            #expect(try await send(batch(2, nil), origin, as: edge).text.contains(#""taken":true"#))
        }
    }

    @Test func `I9, I12: what can't be is left out, too much is refused whole, secrets are masked`() async throws {
        try await TestOrigin.with { origin in
            let edge = try await origin.edge("eu")
            let strange = [
                refusal("no-token", 0), refusal("no-token", -1), refusal("no-token", 1 << 33), refusal(""),
                refusal("No Token"), refusal(String(repeating: "x", count: 65)),
                refusal("no-token") { $0.repository = "../x" }, refusal("no-token") { $0.crate = "a b" },
                refusal("no-token") { $0.version = "one" }, refusal("no-token") { $0.address = "somewhere" },
                refusal("no-token") { $0.subject = "lsh_x" }, refusal("no-token") { $0.sha256 = "abc" },
                refusal("no-token") { $0.request = "a\nb" },
            ]
            var good = refusal("no-token")
            (good.first, good.last) = (1, .max)
            good.path = "GET /t/lsh_t1234567890abcdefghijklmnop/x"
            good.reason = String(repeating: "é", count: 10_000)
            let answer = try await send(batch(1, strange + [good]), origin, as: edge)
            #expect(answer.text == #"{"refused":13,"taken":true}"#)
            let lines = try await lines(origin)
            let line = try #require(lines.first)
            #expect(lines.count == 1 && line.detail["reason"]?.count == 500)
            #expect(line.detail["path"] == "GET /t/lsh_…/x")
            // A clock that is not believed is the origin's.
            #expect(line.detail["first"]?.hasPrefix("1970") == false && line.detail["last"]?.hasPrefix("20") == true)

            let many = Array(repeating: refusal("no-token"), count: AccessBatch.refusalsMax + 1)
            #expect(try await send(batch(2, many), origin, as: edge).status == 413)
            #expect(try await self.lines(origin).count == 1)
        }
    }

    @Test func `an edge that tells of refusals itself leaves no second line with its question`() async throws {
        try await TestOrigin.with { origin in
            let edge = try await origin.edge("eu")
            let hash = String(repeating: "0", count: 64)
            let question = #"{"sha256":"\#(hash)","tellsRefusals":true}"#
            #expect(try await origin.call("POST", "/edge/v1/introspect", as: .edge(edge), json: question).status == 404)
            #expect(try await lines(origin).isEmpty)
            // One of before.
            let old = #"{"sha256":"\#(hash)"}"#
            #expect(try await origin.call("POST", "/edge/v1/introspect", as: .edge(edge), json: old).status == 404)
            #expect(try await lines(origin).map(\.rule) == ["token-unknown"])
        }
    }

    @Test func `what policy refuses at the origin itself names rule, crate and version, and for an edge nobody`()
        async throws
    {
        try await PolicyScene.with { scene in
            let made = MadeCrate("Foo-Bar", "1.0.0").license("GPL-3.0-only")
            try await scene.publish(made)
            try await scene.set(PolicyScene.noGPL)
            let edge = try await scene.origin.edge("eu")
            let checksum = try #require(SliceOrigin.checksum(of: try made.crate()))
            let file = "main/Foo-Bar/1.0.0/\(checksum).crate"
            let asked = try await scene.origin.call("GET", "/edge/v1/crates/\(file)", as: .edge(edge))
            #expect(asked.status == 403 && asked.header(EdgeWire.ruleHeader) == "no-gpl")
            #expect(try await lines(scene.origin).isEmpty)
            let direct = "/main/crates/Foo-Bar/1.0.0/\(checksum).crate"
            #expect(try await scene.origin.call("GET", direct).status == 403)
            let line = try #require(try await lines(scene.origin).first)
            #expect(line.rule == "no-gpl" && line.crate == "Foo-Bar" && line.version == "1.0.0")
            #expect(line.actor == "no token" && line.address == "127.0.0.1" && line.detail["edge"] == nil)
        }
    }
}
