import Foundation
import NIOCore
import Postgres
import Registry
import Signing
import TestSupport
import Testing

@testable import Origin

/// Who, what, from where and in which request: through real sockets.
struct AuditedActionsTests {
    private func lines(_ origin: TestOrigin) async throws -> [AuditLine] {
        try await origin.slices.accessNotes.flush()
        return try await origin.slices.auditTrail.lines(after: 0, upTo: .max)
    }

    @Test func `a change carries the address and the request's id`() async throws {
        try await TestOrigin.with { origin in
            let root = try await origin.made("root", [.admin])
            let answer = try await httpCall(
                "POST", origin.url + "/api/v1/repositories",
                headers: [
                    ("authorization", root.secret.text), ("content-type", "application/json"),
                    ("x-request-id", "build-77"), ("x-forwarded-for", "192.0.2.9"),
                ], body: .init(string: #"{"name":"main"}"#))
            #expect(answer.status == 201)
            let line = try #require(try await lines(origin).last)
            #expect(line.action == "repository.create" && line.actor == "root" && line.token == root.record.id)
            #expect(line.request == "build-77")
            // Nobody said that there is a proxy, so what the client says of itself does not count.
            #expect(line.address == "127.0.0.1")
            #expect(try await lines(origin).first?.address == nil)
        }
    }

    @Test func `behind a proxy the last address of the configured header counts`() async throws {
        try await TestOrigin.with(configure: { $0.clientAddressHeader = "X-Forwarded-For" }) { origin in
            let root = try await origin.token("root", [.admin])
            for (name, header, address) in [
                ("main", "203.0.113.1, 192.0.2.9", "192.0.2.9"), ("more", "192.0.2.9, [2001:db8::9]:80", "2001:db8::9"),
                // The proxy does not know: then it is the proxy's own.
                ("other", "192.0.2.9, unknown", "127.0.0.1"),
            ] {
                _ = try await httpCall(
                    "POST", origin.url + "/api/v1/repositories",
                    headers: [
                        ("authorization", root), ("content-type", "application/json"), ("x-forwarded-for", header),
                    ], body: .init(string: #"{"name":"\#(name)"}"#))
                let line = try await lines(origin).last
                #expect(line?.repository == name && line?.address == address)
            }
        }
    }

    @Test func `refused access and logins are recorded with their reason, many of a kind as one`() async throws {
        try await TestOrigin.with { origin in
            try await origin.repository("secret", isPrivate: true)
            let eve = try await origin.made("eve", [.read], in: ["other"])
            let gone = try await origin.made("gone", [.read])
            _ = try await origin.slices.tokens.revoke(id: gone.record.id, by: .commandLine)
            let edge = try await origin.edge("eu")
            let path = "/secret/index/config.json"
            for _ in 0..<5 { #expect(try await origin.call("GET", path).status == 401) }
            #expect(try await origin.call("GET", path, as: .token(eve.secret.text)).status == 403)
            #expect(try await origin.call("GET", path, as: .token(gone.secret.text)).status == 401)
            #expect(try await origin.call("GET", path, as: .edge(edge)).status == 403)
            #expect(try await origin.call("GET", "/api/v1/whoami", as: .token(eve.secret.text)).status == 200)
            let asked = #"{"sha256":"\#(gone.secret.hash)"}"#
            #expect(try await origin.call("POST", "/edge/v1/introspect", as: .edge(edge), json: asked).status == 404)

            let noted = try await lines(origin).filter { ["login", "access.refused"].contains($0.action) }
            let told = noted.map { "\($0.action) \($0.actor) \($0.rule ?? "-") \($0.detail["count"] ?? "")" }
            #expect(
                Set(told) == [
                    "access.refused no token no-token 5", "access.refused eve not-allowed 1",
                    "access.refused bad token token-revoked 1", "access.refused edge eu edge-credential 1",
                    "access.refused gone token-revoked 1", "login eve - 1",
                ])
            let refused = try #require(noted.first { $0.rule == "not-allowed" })
            #expect(refused.repository == "secret" && refused.address == "127.0.0.1" && refused.token == eve.record.id)
            #expect(refused.detail["path"] == "GET \(path)")
            #expect(refused.detail["reason"]?.contains("does not allow `read`") == true)
            #expect(noted.first { $0.actor == "gone" }?.detail["edge"] == "eu")
            #expect(noted.allSatisfy { !$0.json.contains("lsh_") })
        }
    }
}
