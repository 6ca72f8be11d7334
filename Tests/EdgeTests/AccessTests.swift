import Foundation
import NIOCore
import Registry
import Signing
import TestSupport
import Testing

@testable import Edge

/// I7 and the cases D: who may read a private repository.
struct AccessTests {
    private let config = "/secret/index/config.json"
    private let foo = "/secret/index/3/f/foo"

    private static func origin(_ tokens: KeyValuePairs<SecretToken, Introspection>) async throws -> ScriptedOrigin {
        let origin = try await ScriptedOrigin.withFoo()
        origin.change { script in
            script.repositories = [
                ScriptedOrigin.entry("main"), ScriptedOrigin.entry("secret", isPrivate: true),
            ]
            script.indexFiles["secret/3/f/foo"] = (1, "secret\n")
            for (token, introspection) in tokens { script.tokens[token.hash.description] = introspection }
        }
        return origin
    }

    private static func reader(
        _ subject: String, of repositories: Set<String> = ["secret"], expires: Int? = nil, may action: Action = .read
    ) throws -> Introspection {
        let names = Set(try repositories.map { try RepositoryName($0) })
        return Introspection(
            subject: subject, grants: [Grant(actions: [action], repositories: names)], expires: expires)
    }

    private func edge(
        _ tokens: KeyValuePairs<SecretToken, Introspection>, leaseTime: Duration = .seconds(5),
        tokenLease: Duration = .seconds(600), _ body: @Sendable @escaping (RunningEdge) async throws -> Void
    ) async throws {
        try await withTemporaryFolder("access") { folder in
            let origin = try await Self.origin(tokens)
            try await RunningEdge.run(origin, in: folder, leaseTime: leaseTime, tokenLease: tokenLease, body)
            try await origin.stop()
        }
    }

    // D1, D7
    @Test func `without a token a private repository answers 401 with the way to get one`() async throws {
        try await edge([:]) { edge async throws in
            for path in [config, foo, "/secret/index/XX", try MadeDownload("foo", "1.0.0").path(in: "secret")] {
                let answer = try await edge.get(path)
                #expect(answer.status == 401, "\(path)")
                #expect(
                    answer.headers["www-authenticate"] == "Cargo login_url=\"http://origin.test/secret/me\"")
                #expect(!answer.body.contains("secret\n"))
            }
            #expect(edge.origin.count(of: "/secret/") == 0)
        }
    }

    // D2, D10
    @Test func `a token is accepted in every form that clients send`() async throws {
        let token = SecretToken(kind: .token)
        try await edge([token: try Self.reader("7")]) { edge async throws in
            let password = Data("me:\(token.text)".utf8).base64EncodedString()
            let user = Data("\(token.text):".utf8).base64EncodedString()
            for value in [
                token.text, "Bearer \(token.text)", "bearer \(token.text)", "BEARER \(token.text)",
                "Basic \(password)", "basic \(user)",
            ] {
                #expect(try await edge.get(foo, as: value).body == "secret\n")
            }
            #expect(try await edge.get("/t/\(token.text)\(foo)").body == "secret\n")
            let answer = try await edge.get(config, as: token.text)
            #expect(answer.body.contains("\"auth-required\":true"))
            #expect(edge.origin.count(of: "introspect") == 1)
        }
    }

    @Test func `what is no token never reaches the origin`() async throws {
        try await edge([:]) { edge async throws in
            for value in ["hello", "Bearer x", "Basic !!", "Negotiate abc", SecretToken(kind: .edge).text] {
                #expect(try await edge.get(foo, as: value).status == 401)
            }
            #expect(edge.origin.count(of: "introspect") == 0)
        }
    }

    @Test func `an unknown token is 401, asked about once`() async throws {
        try await edge([:]) { edge async throws in
            let token = SecretToken(kind: .token)
            for _ in 0..<3 {
                #expect(try await edge.get(foo, as: token.text).status == 401)
            }
            #expect(edge.origin.count(of: "introspect") == 1)
        }
    }

    // D4, D5, D17
    @Test func `an expired token is 401, one without the right is 403`() async throws {
        let (expired, other, publisher) = (
            SecretToken(kind: .token), SecretToken(kind: .token), SecretToken(kind: .token)
        )
        try await edge([
            expired: try Self.reader("1", expires: 1), other: try Self.reader("2", of: ["main"]),
            publisher: try Self.reader("3", may: .publishNew),
        ]) { edge async throws in
            #expect(try await edge.get(foo, as: expired.text).status == 401)
            for token in [other, publisher] {
                let answer = try await edge.get(foo, as: token.text)
                #expect(answer.status == 403)
                #expect(answer.body.contains("does not allow `read`"))
            }
        }
    }

    @Test func `a public repository ignores tokens`() async throws {
        try await edge([:]) { edge async throws in
            let answer = try await edge.get(
                "/main/index/3/f/foo", headers: [("authorization", SecretToken(kind: .token).text)])
            #expect(answer.status == 200)
            #expect(edge.origin.count(of: "introspect") == 0)
        }
    }

    @Test func `what one reader brought in is not shown to those who may not read`() async throws {
        let token = SecretToken(kind: .token)
        try await edge([token: try Self.reader("7")]) { edge async throws in
            #expect(try await edge.get(foo, as: token.text).xCache == "MISS")
            #expect(try await edge.get(foo, as: token.text).xCache == "HIT")
            #expect(try await edge.get(foo).status == 401)
            #expect(try await edge.get("/main/index/3/f/foo").body.contains("secret") == false)
        }
    }

    // D16
    @Test func `a revoked token is refused once the event is acknowledged`() async throws {
        let token = SecretToken(kind: .token)
        try await edge([token: try Self.reader("7")]) { edge async throws in
            #expect(try await edge.get(foo, as: token.text).status == 200)
            try await edge.untilApplied(edge.origin.announce(.token(subject: "7")) { $0.tokens = [:] })
            #expect(try await edge.get(foo, as: token.text).status == 401)
        }
    }

    @Test func `offline a token counts for the token lease and no longer`() async throws {
        let token = SecretToken(kind: .token)
        try await edge([token: try Self.reader("7")], leaseTime: .milliseconds(300), tokenLease: .seconds(2)) {
            edge async throws in
            #expect(try await edge.get(foo, as: token.text).status == 200)
            try await edge.origin.stop()
            try await edge.until("refusing the token") {
                try await edge.get(foo, as: token.text).status == 503
            }
            #expect(try await edge.get(foo).status == 401)
        }
    }

    @Test func `a repository that becomes private is private once the event is acknowledged`() async throws {
        try await edge([:]) { edge async throws in
            #expect(try await edge.get("/main/index/3/f/foo").status == 200)
            let main = try RepositoryName("main")
            try await edge.untilApplied(
                edge.origin.announce(.repository(main)) {
                    $0.repositories = [ScriptedOrigin.entry("main", isPrivate: true)]
                })
            #expect(try await edge.get("/main/index/3/f/foo").status == 401)
        }
    }
}
