import Crypto
import Foundation
import HTTPTypes
import Postgres
import TestSupport
import Testing

@testable import Origin

struct WebhookTests {
    private static let secret = "a secret of the webhook"

    private func service(_ scene: AuditScene) -> WebhookService {
        WebhookService(
            store: WebhookStore(pool: scene.pool), trail: scene.trail, seal: scene.seal, logger: .test)
    }

    private func add(
        _ scene: AuditScene, _ url: String, actions: [String] = ["*"], allowsPrivate: Bool = true
    ) async throws {
        try await WebhookStore(pool: scene.pool).add(
            name: "chat", url: url, actions: actions, allowsPrivate: allowsPrivate, secret: Array(Self.secret.utf8),
            scene.seal, by: .commandLine)
    }

    private func makeDue(_ scene: AuditScene) async throws {
        _ = try await scene.pool.execute("UPDATE webhook_deliveries SET due_at = now()")
    }

    @Test func `chosen actions are told once, signed as a receiver checks it`() async throws {
        try await AuditScene.with(lines: 2) { scene in
            let intake = Intake()
            try await intake.whileRunning { port in
                try await add(scene, "http://127.0.0.1:\(port)/in", actions: ["publish", "token.*"])
                for action in ["publish", "yank", "token.create"] { try await scene.record(action) }
                let service = service(scene)
                try await service.step()
                try await service.step()
            }
            #expect(intake.bodies.count == 2)
            #expect(Set(intake.header("longshore-event")) == ["publish", "token.create"])
            for (body, signature) in zip(intake.bodies, intake.header("longshore-signature")) {
                let parts = try #require(signature?.wholeMatch(of: #/t=(\d+),v1=([0-9a-f]{64})/#))
                // Not by our own code: as somebody else would.
                let checked = try await runTool(
                    "sh",
                    [
                        "-c", #"printf '%s' "$1" | openssl dgst -sha256 -hmac "$2" | sed 's/.* //'"#, "sh",
                        "\(parts.1).\(body)", Self.secret,
                    ])
                #expect(checked.output == parts.2 + "\n")
                #expect(try AuditLine(json: body).expectedHash == AuditLine(json: body).hash)
            }
            #expect(try await WebhookStore(pool: scene.pool).list().map(\.waiting) == [0])
        }
    }

    @Test func `a failure is tried again later, and a dead letter only when asked for`() async throws {
        try await AuditScene.with { scene in
            let store = WebhookStore(pool: scene.pool)
            let intake = Intake(answers: [.internalServerError, .internalServerError, .notFound])
            try await intake.whileRunning { port in
                try await add(scene, "http://127.0.0.1:\(port)/in", actions: ["publish"])
                try await scene.record("publish")
                let service = service(scene)
                try await service.step()
                try await service.step()
                #expect(intake.bodies.count == 1)
                try await makeDue(scene)
                try await service.step()
                #expect(intake.bodies.count == 2)
                let standing = try await store.list()
                #expect(standing.map(\.waiting) == [1] && standing[0].error?.contains("500") == true, "\(standing)")
                try await makeDue(scene)
                try await service.step()
                let dead = try await store.dead("chat")
                #expect(dead.map(\.attempts) == [3] && dead.first?.error.contains("404") == true)
                try await makeDue(scene)
                try await service.step()
                #expect(intake.bodies.count == 3)
                #expect(try await store.retry("chat", seq: nil, by: .commandLine) == 1)
                try await service.step()
                #expect(intake.bodies.count == 4)
                #expect(try await store.list().map { [$0.waiting, $0.dead] } == [[0, 0]])
                #expect(try await store.list().map(\.error) == [nil])
            }
        }
    }

    @Test func `after so many tries it is a dead letter, and the pauses grow to an hour`() async throws {
        #expect((1...12).map { Webhook.pause(afterAttempt: $0, asked: nil) }.prefix(3) == [5, 10, 20])
        #expect(Webhook.pause(afterAttempt: 12, asked: nil) == 3600)
        #expect(Webhook.pause(afterAttempt: 1, asked: 90) == 90)
        try await AuditScene.with { scene in
            // Nobody listens there.
            try await add(scene, "http://127.0.0.1:\(try freePort())/in")
            let service = service(scene)
            try await service.step()
            _ = try await scene.pool.execute(
                "UPDATE webhook_deliveries SET due_at = now(), attempts = \(Webhook.attemptsMax - 1)")
            try await service.step()
            #expect(try await WebhookStore(pool: scene.pool).list().map { [$0.waiting, $0.dead] } == [[0, 1]])
        }
    }

    @Test func `an address in a private network is not asked unless that is allowed`() async throws {
        try await AuditScene.with { scene in
            let intake = Intake()
            try await intake.whileRunning { port in
                // `localhost` by name, and as an address; the check is of where the name leads.
                for (number, host) in ["127.0.0.1", "localhost", "[::1]", "0x7f.1"].enumerated() {
                    try await WebhookStore(pool: scene.pool).add(
                        name: "hook\(number)", url: "https://\(host):\(port)/in", actions: ["publish"],
                        allowsPrivate: false, secret: Array(Self.secret.utf8), scene.seal, by: .commandLine)
                }
                try await scene.record("publish")
                try await service(scene).step()
            }
            #expect(intake.bodies.isEmpty)
            let dead = try await WebhookStore(pool: scene.pool).dead(nil)
            #expect(dead.count == 4 && dead.allSatisfy { $0.error.contains("private address") }, "\(dead)")
        }
    }

    @Test func `what can't be is refused when it is added`() async throws {
        for (name, url, actions, allowsPrivate) in [
            ("a b", "https://x.example/", ["*"], false), ("chat", "http://x.example/", ["*"], false),
            ("chat", "ftp://x.example/", ["*"], true), ("chat", "https://x.example/", [], false),
            ("chat", "https://user:pw@x.example/", ["*"], false), ("chat", "https:///x", ["*"], false),
        ] {
            let problem = Webhook.problem(name: name, url: url, actions: actions, allowsPrivate: allowsPrivate)
            #expect(problem != nil, "\(url)")
        }
        #expect(
            Webhook.problem(name: "chat", url: "https://x.example/in?a=b", actions: ["token.*"], allowsPrivate: false)
                == nil)
        #expect(Webhook.matches("token.*", "token.create") && !Webhook.matches("token", "token.create"))
        try await AuditScene.with { scene in
            try await add(scene, "https://x.example/")
            await #expect(throws: Refusal.self) { try await add(scene, "https://x.example/") }
        }
    }

    @Test func `replicas tell each line once`() async throws {
        try await AuditScene.with { scene in
            let intake = Intake()
            try await intake.whileRunning { port in
                try await add(scene, "http://127.0.0.1:\(port)/in", actions: ["publish"])
                for _ in 0..<20 { try await scene.record("publish") }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<4 { group.addTask { try await service(scene).step() } }
                    try await group.waitForAll()
                }
            }
            #expect(Set(intake.header("longshore-delivery")).count == 20)
            #expect(intake.bodies.count == 20)
        }
    }

    @Test func `the secret is not in the database as it is`() async throws {
        try await AuditScene.with { scene in
            try await add(scene, "https://x.example/services/path-secret")
            let lines = try await scene.trail.lines(after: 0, upTo: 9)
            #expect(lines.map { $0.detail["host"] } == ["x.example"])
            #expect(lines.allSatisfy { !$0.json.contains("path-secret") })
            let rows = try await scene.pool.query("SELECT webhooks::text AS text FROM webhooks")
            #expect(try rows.allSatisfy { try !$0.value("text", as: String.self).contains(Self.secret) })
            let hex = Array(Self.secret.utf8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            #expect(try rows.allSatisfy { try !$0.value("text", as: String.self).contains(hex) })
        }
    }
}
