import Foundation
import Hosting
import NIOCore
import Postgres
import Registry
import Signing
import TestSupport
import Testing

@testable import Origin

/// `/dl/…` at the origin: the way to the nearest edge.
struct RedirectTests {
    private static let path = "/secret/dl/Keel/1.0.0+b.1/download"

    private struct Scene: Sendable {
        let origin: TestOrigin
        let reader: (record: TokenRecord, secret: SecretToken)

        func get(
            _ path: String = RedirectTests.path, as token: String?, method: String = "GET",
            headers: [(String, String)] = []
        ) async throws -> HTTPAnswer {
            try await httpCall(
                method, origin.url + path, headers: (token.map { [("authorization", $0)] } ?? []) + headers,
                followsRedirects: false)
        }

        /// As if this edge had connected just now, to another replica.
        func connect(_ name: String, region: String = "", at url: String) async throws {
            let made = try await origin.slices.edges.create(name: name, region: region, by: .commandLine)
            guard case .edge(let holder) = try await origin.slices.edges.principal(hash: made.secret.hash) else {
                preconditionFailure("a new edge is known")
            }
            try await origin.slices.edges.saw(holder, publicURL: url)
            let streams = "[{\"edge\":\(holder.edgeID),\"applied\":0,\"since\":\"2026-01-01T00:00:00Z\"}]"
            _ = try await origin.slices.pool.execute(
                """
                INSERT INTO replicas (id, seen_at, edges, streams)
                VALUES (\("test" + name), now() + interval '1 hour', 0, \(streams)::jsonb)
                """)
        }
    }

    private func with(
        _ configure: @escaping @Sendable (inout OriginConfig) -> Void = { _ in },
        _ body: @Sendable (Scene) async throws -> Void
    ) async throws {
        try await TestOrigin.with(configure: configure) { origin in
            try await origin.repository("secret", isPrivate: true)
            let publisher = try await origin.token("pub", [.publishNew])
            let published = try await httpCall(
                "PUT", origin.url + "/secret/api/v1/crates/new", headers: [("authorization", publisher)],
                body: ByteBuffer(bytes: try MadeCrate("Keel", "1.0.0+b.1").publishBody()))
            try #require(published.status == 200, "\(published.text)")
            try await body(Scene(origin: origin, reader: try await origin.made("ann", [.read])))
        }
    }

    @Test func `without a live edge the origin serves the bytes itself`() async throws {
        try await with { scene in
            #expect(try await scene.get(as: scene.reader.secret.text).status == 200)
            try await scene.connect("eu", at: "https://eu.example")
            _ = try await scene.origin.slices.pool.execute("UPDATE edges SET revoked_at = now()")
            #expect(try await scene.get(as: scene.reader.secret.text).status == 200)
            // Seen a moment ago is not enough.
            _ = try await scene.origin.slices.pool.execute("UPDATE edges SET seen_at = now(), revoked_at = NULL")
            _ = try await scene.origin.slices.pool.execute("DELETE FROM replicas WHERE id LIKE 'test%'")
            #expect(try await scene.get(as: scene.reader.secret.text).status == 200)
            // Nothing was signed, so there is no key.
            #expect(try await scene.origin.slices.signingKeys.list().isEmpty)
        }
    }

    @Test func `with one, a reader gets 307 to a URL that the published key opens, for this edge and token`()
        async throws
    {
        try await with { scene in
            try await scene.connect("eu", at: "https://eu.example/")
            let answer = try await scene.get(as: scene.reader.secret.text)
            #expect(answer.status == 307)
            #expect(answer.header("cache-control") == "no-store")
            #expect(answer.header("etag") == nil && answer.header("last-modified") == nil)
            let place = try #require(answer.header("location"))
            #expect(place.hasPrefix("https://eu.example/secret/crates/Keel/1.0.0+b.1/"), "\(place)")
            let halves = place.dropFirst("https://eu.example".count).split(separator: "?").map(String.init)
            let url = try SignedURL(path: halves[0], query: halves[1])
            #expect(url.claims.audience == "eu")
            #expect(url.claims.subject.description.hasPrefix("\(scene.reader.record.id)."))

            let edge = try await scene.origin.edge("other")
            let keys = try await scene.origin.call("GET", EdgeWire.keysPath, as: .edge(edge))
            let list = try JSONDecoder().decode(SigningKeyList.self, from: Data(keys.text.utf8))
            #expect(list.edge == "other")
            #expect(keys.header(EdgeWire.positionHeader) != nil)
            let ring = try KeyRing(SigningKeyList(edge: "eu", keys: list.keys))
            try ring.check(url, for: .read, at: Int(Date().timeIntervalSince1970))
            #expect(!keys.text.contains("seed"))

            let head = try await scene.get(as: scene.reader.secret.text, method: "HEAD")
            #expect(head.status == 307)
            // By checksum nothing is redirected: these addresses are for ever, and edges ask there.
            let byHash = try await scene.get(halves[0], as: scene.reader.secret.text)
            #expect(byHash.status == 200)
        }
    }

    @Test func `who may not read gets no URL, and an unknown version is 404`() async throws {
        try await with { scene in
            try await scene.connect("eu", at: "https://eu.example")
            let stranger = try await scene.origin.token("eve", [.read], in: ["main"])
            for (token, status) in [(nil, 401), ("nonsense", 401), (stranger, 403)] {
                let answer = try await scene.get(as: token)
                #expect(answer.status == status)
                #expect(answer.header("location") == nil)
            }
            let absent = try await scene.get("/secret/dl/Keel/9.9.9/download", as: scene.reader.secret.text)
            #expect(absent.status == 404)
        }
    }

    @Test func `a URL never outlives its token, and names the position as of which that stood`() async throws {
        try await with { scene in
            try await scene.connect("eu", at: "https://eu.example")
            let short = try await scene.origin.made("bob", [.read], secondsToLive: 100)
            let answer = try await scene.get(as: short.secret.text)
            let place = try #require(answer.header("location"))
            let expires = try #require(place.firstMatch(of: #/ls-exp=(\d+)/#).flatMap { Int($0.output.1) })
            #expect(expires == short.record.expiresSeconds)

            let before = try await scene.origin.slices.tokens.standing(id: short.record.id)
            let position = try await scene.origin.slices.tokens.revoke(id: short.record.id, by: .commandLine)
            #expect(position == before.position + 1)
            let after = try await scene.origin.slices.tokens.standing(id: short.record.id)
            #expect(after.principal == .rejected(.revoked))
        }
    }

    @Test func `the client's network chooses the region, also behind a proxy`() async throws {
        try await with({ $0.clientRegions = "10.1.0.0/16=eu,10.2.0.0/16=us" }) { scene in
            try await scene.connect("a", region: "eu", at: "https://a.example")
            try await scene.connect("b", region: "us", at: "https://b.example")
            for (address, edge) in [("10.1.2.3", "a"), ("10.2.2.3", "b"), ("10.2.2.3, 10.1.0.1", "b")] {
                let answer = try await scene.get(
                    as: scene.reader.secret.text, headers: [("x-forwarded-for", address)])
                #expect(answer.header("location")?.hasPrefix("https://\(edge).example/") == true, "\(address)")
            }
        }
    }

    @Test func `config json names the redirect if it is told to, and the files otherwise`() async throws {
        for (isRedirecting, dl) in [
            (true, "/secret/dl/{crate}/{version}/download"),
            (false, "/secret/crates/{crate}/{version}/{sha256-checksum}.crate"),
        ] {
            try await with({ $0.redirectsDownloads = isRedirecting }) { scene in
                let file = try await scene.get("/secret/index/config.json", as: scene.reader.secret.text)
                #expect(file.text.contains("\"dl\":\"\(scene.origin.url)\(dl)\""), "\(file.text)")
            }
        }
    }

    @Test func `an origin with another secret does not start, and says why`() async throws {
        try await TestDatabase.with { pool, connectionString in
            let store = SigningKeyStore(pool: pool, events: EventLog(), audit: AuditStore())
            _ = try await store.signer(try KeySeal(secret: "the secret of the first start", source: "the test"))
            try await withTemporaryFolder("origin") { folder in
                var config = OriginConfig(address: .init(host: "127.0.0.1", port: try freePort()), dataFolder: folder)
                config.databaseURL = connectionString
                config.databaseConnectionsMax = 4
                config.signingSecret = "the secret of the second start"
                let app = OriginApp(config, logger: .test)
                let refusal = await #expect(throws: KeySeal.Failure.self) { _ = try await app.start() }
                #expect(refusal?.description.contains("another secret") == true)
            }
        }
    }
}
