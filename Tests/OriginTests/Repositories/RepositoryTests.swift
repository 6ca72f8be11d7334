import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

struct RepositoryTests {
    @Test func `there is nothing at first, no repository, no token, no user`() async throws {
        try await TestOrigin.with { origin in
            let repositories = try await origin.slices.repositories.list().repositories
            let tokens = try await origin.slices.tokens.list(login: nil)
            let answer = try await origin.call("GET", "/api/v1/repositories")
            #expect(repositories.isEmpty && tokens.isEmpty)
            #expect(answer.status == 401)
        }
    }

    @Test func `a repository is made, changed, shown and deleted, each with its event and audit line`() async throws {
        try await TestOrigin.with { origin in
            let root = TestOrigin.Caller.token(try await origin.token("root", [.admin]))
            let made = try await origin.call(
                "POST", "/api/v1/repositories", as: root, json: #"{"name":"main","metadata_required":true}"#)
            #expect(made.status == 201)
            #expect(made.json["index"] as? String == "sparse+\(origin.url)/main/index/")
            let path = "/api/v1/repositories/main"
            let changed = try await origin.call("PATCH", path, as: root, json: #"{"private":true,"offline":"refuse"}"#)
            #expect(changed.json["private"] as? Bool == true)
            #expect(changed.json["metadata_required"] as? Bool == true)
            #expect(try await origin.call("GET", path, as: root).json["offline"] as? String == "refuse")
            #expect(try await origin.call("DELETE", path, as: root).status == 400)
            #expect(try await origin.call("DELETE", path + "?confirm=main", as: root).status == 200)
            #expect(try await origin.call("GET", path, as: root).status == 404)

            let events = try await origin.slices.pool.query("SELECT kind, data FROM feed ORDER BY position")
            #expect(
                try events.map { try $0.value("kind", as: String.self) } == ["repository", "repository", "repository"])
            let trail = try await origin.slices.pool.query(
                "SELECT action FROM audit WHERE repository = 'main' ORDER BY id"
            ).map { try $0.value("action", as: String.self) }
            #expect(trail == ["repository.create", "repository.set", "repository.delete"])
        }
    }

    @Test(arguments: [
        (#"{"name":"main"}"#, 409), (#"{"name":"Main"}"#, 400), (#"{"name":"api"}"#, 400), ("{}", 400),
        ("nonsense", 400),
        (#"{"name":"b","offline_seconds_max":-1}"#, 400), (#"{"name":"b","offline":"perhaps"}"#, 400),
    ])
    func `a bad request is refused with a reason`(json: String, status: Int) async throws {
        try await TestOrigin.with { origin in
            try await origin.repository("main")
            let root = try await origin.token("root", [.admin])
            let answer = try await origin.call("POST", "/api/v1/repositories", as: .token(root), json: json)
            #expect(answer.status == status)
            #expect(answer.json["errors"] != nil)
        }
    }

    @Test func `private repositories are listed for their readers only`() async throws {
        try await TestOrigin.with { origin in
            try await origin.repository("main")
            try await origin.repository("secret", isPrivate: true)
            let eve = try await origin.token("eve", [.read], in: ["main"])
            let seen = try await origin.call("GET", "/api/v1/repositories", as: .token(eve)).text
            #expect(seen.contains("main") && !seen.contains("secret"))
        }
    }
}
