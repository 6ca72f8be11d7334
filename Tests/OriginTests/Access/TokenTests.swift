import Foundation
import Hummingbird
import Postgres
import Registry
import Signing
import TestSupport
import Testing

@testable import Origin

/// Stands where `FrontDoor` wants a type and no answer.
struct NoResponder: HTTPResponder {
    func respond(to request: Request, context: OriginContext) async throws -> Response { Response(status: .ok) }
}

struct TokenTests {
    @Test func `a token is made, listed without its secret, used and revoked`() async throws {
        try await TestOrigin.with { origin in
            let root = try await origin.token("root", [.admin])
            let asked =
                #"{"login":"ann","name":"ci","grants":[{"actions":["read"],"repositories":["main"],"crates":["*"]}]}"#
            let made = try await origin.call("POST", "/api/v1/tokens", as: .token(root), json: asked)
            #expect(made.status == 201)
            let secret = try #require(made.json["secret"] as? String)
            let id = try #require((made.json["token"] as? [String: Any])?["id"] as? Int)

            let listed = try await origin.call("GET", "/api/v1/tokens", as: .token(root))
            #expect(listed.text.contains("\"ann\""))
            #expect(!listed.text.contains(secret))

            let who = try await origin.call("GET", "/api/v1/whoami", as: .token("bearer \(secret)"))
            #expect(who.json["login"] as? String == "ann")

            #expect(try await origin.call("DELETE", "/api/v1/tokens/\(id)", as: .token(root)).status == 200)
            let after = try await origin.call("GET", "/api/v1/whoami", as: .token(secret))
            #expect(after.status == 401)
            #expect(after.text.contains("revoked"))
            let trail = try await origin.slices.pool.query("SELECT actor, action FROM audit ORDER BY id").map {
                try "\($0.value("actor", as: String.self)) \($0.value("action", as: String.self))"
            }
            #expect(trail == ["command line token.create", "root token.create", "root token.revoke"])
        }
    }

    // D5
    @Test func `an expired token is 401 with the reason`() async throws {
        try await TestOrigin.with { origin in
            let made = try await origin.made("ann", [.read], secondsToLive: 3600)
            _ = try await origin.slices.pool.execute(
                "UPDATE tokens SET expires_at = now() - interval '1 second' WHERE id = \(made.record.id)")
            let answer = try await origin.call("GET", "/api/v1/whoami", as: .token(made.secret.text))
            #expect(answer.status == 401)
            #expect(answer.text.contains("expired"))
        }
    }

    @Test func `a token makes none with more rights or a longer life than its own`() async throws {
        try await TestOrigin.with { origin in
            let small = try await origin.token("ann", [.admin], in: ["main"], secondsToLive: 3600)
            func ask(_ repository: String, _ seconds: String) async throws -> Int {
                let json = """
                    {"name":"x","grants":[{"actions":["read"],"repositories":["\(repository)"],"crates":["*"]}],\
                    "expires_in":\(seconds)}
                    """
                return try await origin.call("POST", "/api/v1/tokens", as: .token(small), json: json).status
            }
            #expect(try await ask("main", "60") == 201)
            #expect(try await ask("other", "60") == 403)
            #expect(try await ask("*", "60") == 403)
            #expect(try await ask("main", "7200") == 403)
            #expect(try await ask("main", "null") == 403)
            let reader = try await origin.token("eve", [.read])
            let json = #"{"name":"x","grants":[{"actions":["read"],"repositories":["main"],"crates":["*"]}]}"#
            #expect(try await origin.call("POST", "/api/v1/tokens", as: .token(reader), json: json).status == 403)
        }
    }

    @Test func `users see and revoke their own tokens only`() async throws {
        try await TestOrigin.with { origin in
            let ann = try await origin.made("ann", [.read])
            let eve = try await origin.made("eve", [.read])
            let seen = try await origin.call("GET", "/api/v1/tokens", as: .token(eve.secret.text)).text
            #expect(seen.contains("\"eve\"") && !seen.contains("\"ann\""))
            let path = "/api/v1/tokens/\(ann.record.id)"
            #expect(try await origin.call("DELETE", path, as: .token(eve.secret.text)).status == 404)
            #expect(try await origin.call("DELETE", path, as: .token(ann.secret.text)).status == 200)
        }
    }

    // D1, D2, D4, D10, D11
    @Test func `a private repository asks for a token with an absolute login address`() async throws {
        try await TestOrigin.with { origin in
            try await origin.repository("secret", isPrivate: true)
            let path = "/secret/index/config.json"
            let anonymous = try await origin.call("GET", path)
            #expect(anonymous.status == 401)
            #expect(anonymous.header("www-authenticate") == "Cargo login_url=\"\(origin.url)/secret/me\"")
            let reader = try await origin.token("ann", [.read], in: ["secret"])
            let answer = try await origin.call("GET", path, as: .token(reader))
            #expect(answer.json["auth-required"] as? Bool == true)
            #expect(try await origin.call("GET", "/t/\(reader)\(path)").status == 200)
            let stranger = try await origin.token("eve", [.read], in: ["main"])
            let refused = try await origin.call("GET", path, as: .token(stranger))
            #expect(refused.status == 403)
            #expect(refused.header("content-type")?.hasPrefix("text/plain") == true)
        }
    }
}

extension HTTPAnswer {
    /// The body as a JSON object; empty if it is none.
    var json: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] ?? [:]
    }
}
