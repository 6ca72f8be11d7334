import Foundation
import NIOCore
import Registry
import Signing
import TestSupport
import Testing

@testable import Edge

/// From a refusal at an edge to the batch that tells the origin: who, what, why, from where.
struct RefusalLogTests {
    private static let path = "/secret/index/3/f/foo"

    private func scene(_ body: (SigningOrigin, ScriptedOrigin, String) async throws -> Void) async throws {
        try await withTemporaryFolder("refusals") { folder in
            let signing = try SigningOrigin(version: "1.0.0")
            let origin = try await signing.start()
            try await body(signing, origin, folder)
            try await origin.stop()
        }
    }

    /// What was told, as `rule reader crate@version count`.
    private func told(_ origin: ScriptedOrigin) -> Set<String> {
        Set(
            origin.refusals.map { refusal in
                let reader = refusal.subject ?? refusal.sha256.map { String($0.prefix(8)) } ?? "-"
                let file = refusal.crate.map { "\($0)@\(refusal.version ?? "")" } ?? "-"
                return "\(refusal.rule) \(refusal.repository ?? "-") \(reader) \(file) \(refusal.count)"
            })
    }

    @Test func `each kind of refusal is told, many of a kind as one, and what is served is not`() async throws {
        try await scene { signing, origin, folder in
            let (stranger, gone, old) = (
                SecretToken(kind: .token), SecretToken(kind: .token), SecretToken(kind: .token)
            )
            let file = signing.download.file
            origin.change { script in
                let other = Grant(actions: [.read], repositories: [], crates: [.everything])
                script.tokens["\(stranger.hash)"] = Introspection(subject: "7", grants: [other], expires: nil)
                script.tokens["\(old.hash)"] = Introspection(subject: "8", grants: [other], expires: 1)
                script.blocked["main/\(file)"] = "`foo` 1.0.0 is blocked, rule `no-gpl`"
                script.blockingRule = "no-gpl"
            }
            try await RunningEdge.run(origin, in: folder) { edge in
                for _ in 0..<3 { #expect(try await edge.get(Self.path).status == 401) }
                #expect(try await edge.get(Self.path, as: "nonsense").status == 401)
                for _ in 0..<2 { #expect(try await edge.get(Self.path, as: gone.text).status == 401) }
                #expect(try await edge.get("/t/\(gone.text)\(Self.path)").status == 401)
                #expect(try await edge.get(Self.path, as: old.text).status == 401)
                for method in ["GET", "HEAD"] {
                    let answer = try await edge.get(
                        Self.path, headers: [("authorization", stranger.text)], method: method)
                    #expect(answer.status == 403)
                }
                for _ in 0..<4 { #expect(try await edge.get(signing.download.path()).status == 403) }
                // Neither absence nor a good answer is a refusal.
                #expect(try await edge.get("/none/index/3/f/foo").status == 404)
                #expect(try await edge.get("/main/index/3/f/foo").status == 200)
                #expect(try await edge.get("/main/index/3/f/foo", method: "PUT").status == 405)
            }
            // Stopped in order: what was still to be told has been told.
            let hash = "\(gone.hash)".prefix(8)
            #expect(
                told(origin) == [
                    "no-token secret - - 3", "token-malformed secret - - 1", "token-unknown secret \(hash) - 3",
                    "token-expired secret 8 - 1", "not-allowed secret 7 - 2", "no-gpl main - foo@1.0.0 4",
                ])
            #expect(origin.refusals.allSatisfy { $0.address == "127.0.0.1" && $0.first > 1_700_000_000 })
            let stray = try #require(origin.refusals.first { $0.rule == "token-unknown" })
            #expect(stray.path == "GET \(Self.path)" && stray.reason?.contains("does not know the token") == true)
            #expect(stray.request.flatMap { UInt64($0) } != nil)
            for secret in [stranger, gone, old] { #expect(!"\(origin.refusals)".contains(secret.text)) }
        }
    }

    @Test func `behind a proxy the address is whom the proxy names, not whom the client says it is`() async throws {
        try await scene { signing, origin, folder in
            let file = signing.download.path()
            let values = ["192.0.2.9", "203.0.113.1, 192.0.2.9", "192.0.2.9, 2001:db8::9", "192.0.2.9, unknown"]
            let behind: @Sendable (String) -> [(String, String)] = { [("x-forwarded-for", $0)] }
            try await RunningEdge.run(
                origin, in: folder, configure: { config in config.clientAddressHeader = "X-Forwarded-For" }
            ) { edge async throws in
                for value in values {
                    #expect(try await edge.get(Self.path, headers: behind(value)).status == 401)
                    #expect(try await edge.get(file, headers: behind(value)).status == 200)
                }
                #expect(try await edge.get("/main/index/3/f/foo", headers: behind(values[0])).status == 200)
            }
            let (client, other, proxy) = ("192.0.2.9", "2001:db8::9", "127.0.0.1")
            var counts: [String: Int] = [:]
            for refusal in origin.refusals { counts[refusal.address ?? "nobody", default: 0] += refusal.count }
            #expect(counts == [client: 2, other: 1, proxy: 1])
            #expect(origin.pulls.map(\.address) == [client, client, other, proxy])
        }
    }

    @Test func `a signed URL that opens nothing is told with what is wrong, and whose it was if that is proven`()
        async throws
    {
        try await scene { signing, origin, folder in
            try await RunningEdge.run(origin, in: folder) { edge in
                let ended = origin.announce(.token(subject: "9"))
                try await edge.untilApplied(ended)
                let subject = URLClaims.Subject.token("9", asOf: ended - 1)
                #expect(try await edge.get(signing.url(subject: subject)).status == 403)
                // Nobody has looked at its signature.
                #expect(try await edge.get(signing.url(expires: -40, subject: subject)).status == 403)
                #expect(try await edge.get(signing.url(audience: "us", subject: subject)).status == 403)
                #expect(try await edge.get(signing.url(by: SigningKey(), subject: subject)).status == 403)
                #expect(try await edge.get(signing.url() + "x").status == 403)
                #expect(try await edge.get(signing.url()).status == 200)
            }
            #expect(
                told(origin) == [
                    "signed-url-ended-token secret 9 - 1", "signed-url-expired secret - - 1",
                    "signed-url-audience secret - - 1", "signed-url-unknown-key secret - - 1",
                    "signed-url-malformed secret - - 1",
                ])
            #expect(!"\(origin.refusals)".contains("ls-sig="))
        }
    }

    @Test func `refusals of a time without an origin are told later, by the next process too`() async throws {
        try await scene { _, origin, folder in
            let port = origin.port
            try await RunningEdge.run(origin, in: folder) { edge in
                #expect(try await edge.get(Self.path).status == 401)
                try await origin.stop()
                for _ in 0..<10 { #expect(try await edge.get(Self.path).status == 401) }
            }
            #expect(origin.refusals.isEmpty)
            try await origin.start(port: port)
            try await RunningEdge.run(origin, in: folder) { edge in
                try await edge.until("told") { !origin.refusals.isEmpty }
            }
            #expect(told(origin) == ["no-token secret - - 11"] && !origin.hasContradiction)
        }
    }

    @Test func `a policy's rule is known after a restart, and one that was never told has a name too`() async throws {
        try await scene { signing, origin, folder in
            origin.change { script in
                script.blocked["main/\(signing.download.file)"] = "blocked"
                script.blockingRule = "no-gpl"
            }
            for _ in 0..<2 {
                try await RunningEdge.run(origin, in: folder) { edge in
                    let answer = try await edge.get(signing.download.path())
                    #expect(answer.status == 403 && answer.body == "blocked\n")
                }
            }
            #expect(origin.refusals.map(\.rule) == ["no-gpl", "no-gpl"])
        }
        try await scene { signing, origin, folder in
            origin.change { $0.blocked["main/\(signing.download.file)"] = "blocked" }
            try await RunningEdge.run(origin, in: folder) { edge async throws in
                #expect(try await edge.get(signing.download.path()).status == 403)
            }
            #expect(origin.refusals.map(\.rule) == ["policy"])
        }
    }

    @Test func `I9: a flood of refusals is a bounded batch, and costs no read its count`() async throws {
        try await scene { _, origin, folder in
            try await RunningEdge.run(origin, in: folder) { edge in
                #expect(try await edge.get("/main/index/3/f/foo").status == 200)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<8 {
                        group.addTask {
                            for _ in 0..<50 {
                                let answer = try await edge.get(Self.path, as: SecretToken(kind: .token).text)
                                #expect(answer.status == 401)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(try await edge.get("/main/index/3/f/foo").status == 200)
            }
            let refusals = origin.refusals
            #expect(refusals.reduce(0) { $0 + $1.count } == 400)
            // Pages end with time: on a slow machine there may be several.
            let pages = refusals.count { $0.rule == "over-the-limit" }
            #expect(refusals.count <= (pages + 1) * (RefusalBook.linesPerPeerMax + 1))
            #expect(origin.batches.flatMap(\.reads).reduce(0) { $0 + $1.count } == 2)
        }
    }
}
