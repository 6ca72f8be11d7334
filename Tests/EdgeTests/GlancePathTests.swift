import Registry
import Signing
import TestSupport
import Testing

@testable import Edge

struct GlancePathTests {
    @Test(arguments: [
        ("/main/index/3/f/foo", "main"), ("/main/index/", "main"), ("/tt/index/3/f/foo", "tt"),
        ("/main/index", nil), ("/main/indexes/3/f/foo", nil), ("/main/crates/x", nil), ("//index/3/f/foo", nil),
        ("/index/3/f/foo", nil), ("main/index/3/f/foo", nil), ("/", nil), ("", nil),
        // `t` is no repository: what follows is a token, even if it looks like this.
        ("/t/index/3/f/foo", nil), ("/t/index/main/index/3/f/foo", nil), ("/t/secret/main/index/3/f/foo", nil),
    ])
    func `only the path of an index file is looked up at a glance`(path: String, repository: String?) {
        let found = Array(path.utf8).withUnsafeBytes { bytes in
            IndexRoute.repository(in: bytes).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(found == repository)
    }

    // The short way knows no tokens, so it must know which files are not for everybody.
    @Test func `I7: what is held of a private repository is shown to nobody at a glance`() async throws {
        let origin = try await ScriptedOrigin.withFoo()
        let token = SecretToken(kind: .token)
        origin.change { script in
            script.repositories.append(ScriptedOrigin.entry("secret", isPrivate: true))
            script.indexFiles["secret/3/f/foo"] = script.indexFiles["main/3/f/foo"]
            script.tokens["\(token.hash)"] = Introspection(
                subject: "7", grants: [Grant(actions: [.read], repositories: nil, crates: [.everything])],
                expires: nil)
        }
        try await withTemporaryFolder("glance") { folder in
            try await RunningEdge.run(origin, in: folder) { edge in
                let path = "/secret/index/3/f/foo"
                let page = try await edge.get(path, as: token.text)
                let tag = try #require(page.headers["etag"])
                // Held and current now.
                #expect(try await edge.get(path, as: token.text).headers["x-cache"] == "HIT")
                #expect(try await edge.get(path).status == 401)
                #expect(try await edge.get(path, headers: [("if-none-match", tag)]).status == 401)
            }
        }
        try await origin.stop()
    }
}
