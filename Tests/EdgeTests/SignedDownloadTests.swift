import Foundation
import NIOCore
import Registry
import Signing
import TestSupport
import Testing

@testable import Edge

/// I7 and I12 over real sockets: what a signature opens at an edge, and what it does not.
struct SignedDownloadTests {
    private func edge(
        _ signing: SigningOrigin, tokenLease: Duration = .seconds(600),
        _ body: @Sendable @escaping (RunningEdge) async throws -> Void
    ) async throws {
        try await withTemporaryFolder("signed") { folder in
            let origin = try await signing.start()
            try await RunningEdge.run(origin, in: folder, tokenLease: tokenLease, body)
            try await origin.stop()
        }
    }

    @Test func `a good signature opens a private repository without a token, GET and HEAD`() async throws {
        let signing = try SigningOrigin()
        try await edge(signing) { edge async throws in
            #expect(try await edge.get(signing.download.path(in: "secret")).status == 401)
            let first = try await edge.get(signing.url())
            #expect(first.bytes == signing.download.bytes)
            #expect(first.headers["cache-control"] == "private, max-age=31536000, immutable")
            #expect(try await edge.get(signing.url(), method: "HEAD").status == 200)
            #expect(try await edge.get(signing.url(by: signing.old, audience: "*")).status == 200)
            #expect(try await edge.get(signing.url(in: "main")).status == 200)
            // The token that came with it is not looked at.
            #expect(try await edge.get(signing.url(), as: "nonsense").status == 200)
        }
    }

    @Test func `caches know a file by its path alone`() async throws {
        let signing = try SigningOrigin()
        try await edge(signing) { edge async throws in
            for xCache in ["MISS", "HIT", "HIT"] { #expect(try await edge.get(signing.url()).xCache == xCache) }
            #expect(edge.origin.count(of: "/edge/v1/crates/secret/") == 1)
        }
    }

    @Test func `I7: what is wrong with a signature is 403 with the reason, whatever else would open the file`()
        async throws
    {
        let signing = try SigningOrigin()
        let token = SecretToken(kind: .token)
        try await edge(signing) { edge async throws in
            let grant = Grant(actions: [.read], repositories: nil)
            let known = Introspection(subject: "1", grants: [grant], expires: nil)
            edge.origin.change { $0.tokens[token.hash.description] = known }
            #expect(try await edge.get(signing.download.path(in: "secret"), as: token.text).status == 200)
            for (bad, reason) in try Self.bad(signing) {
                for headers in [[], [("authorization", token.text)]] {
                    let answer = try await edge.get(bad, headers: headers)
                    #expect(answer.status == 403, "\(bad)")
                    #expect(answer.body.contains(reason), "\(bad): \(answer.body)")
                    #expect(answer.headers["cache-control"] == "no-store")
                }
            }
            let inPath = try await edge.get("/t/\(token.text)\(signing.url())")
            #expect(inPath.status == 403)
            for method in ["PUT", "POST", "DELETE"] {
                #expect(try await edge.get(signing.url(), method: method).status == 405)
            }
        }
    }

    private static func bad(_ signing: SigningOrigin) throws -> [(String, String)] {
        let good = try signing.url()
        let query = String(good.split(separator: "?")[1])
        func put(_ old: String, _ new: String, in url: String? = nil) -> String {
            (url ?? good).replacing(old, with: new, maxReplacements: 1)
        }
        return try [
            (signing.url(expires: -40), "has expired"), (signing.url(expires: 3700), "expires later"),
            (signing.url(audience: "us"), "another edge"), (signing.url(audience: "test-edge"), "another edge"),
            (signing.url(by: SigningKey()), "does not know"),
            (put("/secret/", "/main/"), "does not fit"),
            (put("/main/", "/secret/", in: signing.url(in: "main")), "does not fit"),
            (put("/foo/", "/Foo/"), "does not fit"), (put("1.0.0", "1.0.1"), "does not fit"),
            (put("+b.1", "%2Bb.1"), "has a path"), (put("foo", "%66oo"), "has a path"),
            (put("foo", "%2566oo"), "has a path"), (put(".crate?", ".crate.?"), "has a path"),
            (put(".crate?", ".CRATE?"), "has a path"), (put("crates/foo", "crates//foo"), "has a path"),
            (good + "&x=1", "does not belong"), (good + "&ls-exp=1", "twice"),
            (put("ls-exp", "LS-EXP"), "does not belong"),
            (put("ls-aud=eu", "ls-aud=*"), "does not fit"), (put("ls-sub=-", "ls-sub=1.5"), "does not fit"),
            (String(good.dropLast()), "`ls-sig`"), (String(good.dropLast(86)), "`ls-sig`"),
            (good.dropLast(86) + String(repeating: "A", count: 86), "does not fit"),
            (signing.download.path(in: "secret") + "?ls-sig=", "has no `ls-exp`"),
            (signing.download.path() + "?ls-exp=1", "has no `ls-kid`"),
            (signing.download.path() + "?x=1&" + query, "does not belong"),
        ]
    }

    @Test func `a query without our parameters changes nothing`() async throws {
        let signing = try SigningOrigin()
        try await edge(signing) { edge async throws in
            #expect(try await edge.get(signing.download.path() + "?x=1").status == 200)
            #expect(try await edge.get(signing.download.path(in: "secret") + "?x=1").status == 401)
            // Signatures are for downloads.
            #expect(try await edge.get("/main/index/3/f/foo?ls-sig=x").status == 200)
            #expect(try await edge.get("/secret/index/3/f/foo?ls-sig=x").status == 401)
        }
    }

    @Test func `I7: what was signed for a token ends with its event, also after a restart without the origin`()
        async throws
    {
        try await withTemporaryFolder("ended") { folder in
            let signing = try SigningOrigin()
            let origin = try await signing.start()
            let before = try signing.url(subject: .token("7", asOf: 1))
            let (after, other) = (
                try signing.url(subject: .token("7", asOf: 2)), try signing.url(subject: .token("8", asOf: 1))
            )
            try await RunningEdge.run(origin, in: folder) { edge async throws in
                #expect(try await edge.get(before).status == 200)
                try await edge.untilApplied(origin.announce(.token(subject: "7")))
                let answer = try await edge.get(before)
                #expect(answer.status == 403)
                #expect(answer.body.contains("changed or revoked"))
                #expect(try await edge.get(after).status == 200)
                #expect(try await edge.get(other).status == 200)
            }
            try await origin.stop()
            try await RunningEdge.run(origin, in: folder, isReady: false) { edge async throws in
                #expect(try await edge.get(before).status == 403)
                #expect(try await edge.get(after).status == 200)
                #expect(try await edge.get(after).xCache == "STALE")
            }
        }
    }

    @Test func `an edge that missed events refuses what was signed for tokens before, and nothing else`() async throws {
        let signing = try SigningOrigin()
        try await edge(signing) { edge async throws in
            try await edge.untilApplied(edge.origin.announce(.unknown(kind: "weather")))
            #expect(try await edge.get(signing.url(subject: .token("7", asOf: 1))).status == 403)
            #expect(try await edge.get(signing.url(subject: .token("7", asOf: 2))).status == 200)
            #expect(try await edge.get(signing.url()).status == 200)
        }
    }

    @Test func `a retired key stops with its event, and a new one is known`() async throws {
        let signing = try SigningOrigin()
        try await edge(signing) { edge async throws in
            let new = SigningKey()
            #expect(try await edge.get(signing.url(by: signing.old)).status == 200)
            #expect(try await edge.get(signing.url(by: new)).status == 403)
            let list = SigningKeyList(
                edge: "eu",
                keys: signing.list(retired: signing.old).keys + [
                    .init(id: new.id, key: Base64URL.text(new.publicKey), isRetired: false)
                ])
            try await edge.untilApplied(edge.origin.announce(.keys) { $0.keys = list })
            let answer = try await edge.get(signing.url(by: signing.old))
            #expect(answer.status == 403)
            #expect(answer.body.contains("retired"))
            #expect(try await edge.get(signing.url(by: new)).status == 200)
            #expect(try await edge.get(signing.url()).status == 200)
        }
    }

    @Test func `I5: a blind edge trusts its keys for the token lease, and then says 503`() async throws {
        try await withTemporaryFolder("blind") { folder in
            let signing = try SigningOrigin()
            let origin = try await signing.start()
            try await RunningEdge.run(origin, in: folder) { edge async throws in
                #expect(try await edge.get(signing.url()).status == 200)
            }
            try await origin.stop()
            try await RunningEdge.run(origin, in: folder, isReady: false) { edge async throws in
                #expect(try await edge.get(signing.url()).bytes == signing.download.bytes)
            }
            try await RunningEdge.run(origin, in: folder, isReady: false, tokenLease: .milliseconds(1)) {
                edge async throws in
                let answer = try await edge.get(signing.url())
                #expect(answer.status == 503)
                #expect(answer.headers["retry-after"] == "2")
            }
        }
    }

    @Test func `I6: a blocked version stays blocked, however well it is signed`() async throws {
        let signing = try SigningOrigin()
        try await edge(signing) { edge async throws in
            edge.origin.change { $0.blocked["secret/\(signing.download.file)"] = "licence GPL is not allowed here" }
            let answer = try await edge.get(signing.url())
            #expect(answer.status == 403)
            #expect(answer.body == "licence GPL is not allowed here\n")
        }
    }

    @Test func `an origin that sends keys which are none is not believed`() async throws {
        let signing = try SigningOrigin()
        try await edge(signing) { edge async throws in
            let bad = SigningKeyList(edge: "eu", keys: [.init(id: signing.key.id, key: "AAAA", isRetired: false)])
            try await edge.untilApplied(edge.origin.announce(.keys) { $0.keys = bad })
            #expect(try await edge.get(signing.url()).status == 503)
        }
    }
}
