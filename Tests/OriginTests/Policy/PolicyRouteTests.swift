import Foundation
import HTTPTypes
import NIOCore
import Registry
import TestSupport
import Testing

@testable import Origin

/// Rules and decisions over HTTP.
struct PolicyRouteTests {
    private static let base = "/api/v1/repositories/main"

    private static func with(
        _ body: @Sendable @escaping (PolicyScene, _ admin: TestOrigin.Caller) async throws -> Void
    ) async throws {
        try await PolicyScene.with { scene in
            try await body(scene, .token(scene.origin.token("root", [.admin])))
        }
    }

    private static func put(
        _ text: String, _ scene: PolicyScene, _ admin: TestOrigin.Caller
    ) async throws -> HTTPAnswer {
        try await httpCall(
            "PUT", scene.origin.url + base + "/policy", headers: admin.headers, body: .init(string: text))
    }

    @Test func `rules are set, shown, listed and taken away; the clock judges by them`() async throws {
        try await Self.with { scene, admin in
            let origin = scene.origin
            #expect(try await origin.call("GET", Self.base + "/policy", as: admin).status == 404)
            try await scene.publish(MadeCrate("foo", "1.0.0").license("GPL-3.0-only"))
            let rules = PolicyScene.rules(PolicyScene.noGPL)
            let set = try await Self.put(rules, scene, admin)
            #expect(set.status == 200 && set.text == #"{"applied":false,"number":1}"#, "\(set.text)")
            try await scene.eventually("a replica judges by the new rules") {
                try await scene.yanks("foo") == ["1.0.0": true]
            }
            #expect(try await origin.call("GET", Self.base + "/policy", as: admin).text == rules)
            let listed = try await origin.call("GET", Self.base + "/decisions?decision=block&crate=foo", as: admin)
            #expect(listed.text.contains(#""rule":"no-gpl""#) && listed.text.contains(#""awaits_file":false"#))
            #expect(
                try await origin.call("GET", Self.base + "/decisions?decision=flag", as: admin).text
                    == #"{"decisions":[]}"#)
            let one = try await origin.call("GET", Self.base + "/decisions/foo/1.0.0", as: admin)
            #expect(one.status == 200 && one.text.contains(#""schema":"longshore.version/1""#), "\(one.text)")
            #expect(try await origin.call("DELETE", Self.base + "/policy", as: admin).status == 200)
            let history = try await origin.call("GET", Self.base + "/policy/history", as: admin)
            #expect(history.text.contains(#""has_rules":false,"number":2,"#), "\(history.text)")
            #expect(history.text.contains(#""set_by":"root""#))
        }
    }

    @Test func `a quarantined version is released, with a reason and by a name`() async throws {
        try await Self.with { scene, admin in
            try await scene.set(PolicyScene.cooldown())
            try await scene.publish(MadeCrate("foo", "1.0.0+one"))
            let path = Self.base + "/decisions/foo/1.0.0+one/release"
            for (body, status) in [(#"{"reason":""}"#, 400), ("{}", 400), (#"{"reason":"read it"}"#, 200)] {
                let answer = try await scene.origin.call("POST", path, as: admin, json: body)
                #expect(answer.status == status, "\(body): \(answer.text)")
            }
            #expect(try await scene.yanks("foo") == ["1.0.0+one": false])
            let again = try await scene.origin.call("POST", path, as: admin, json: #"{"reason":"again"}"#)
            #expect(again.status == 409 && again.text.contains("is not quarantined"))
            #expect(try await scene.audit().contains { $0.action == "policy.release" && $0.actor == "root" })
        }
    }

    @Test func `a body without what it must say is told so in words`() async throws {
        try await PolicyScene.with { scene in
            let token = try await scene.origin.token("root", [.admin])
            for (body, words) in [("{}", "`reason`"), ("no JSON", "valid JSON")] {
                let answer = try await httpCall(
                    "POST", scene.origin.url + "/api/v1/repositories/main/decisions/foo/1.0.0/release",
                    headers: [("authorization", token)], body: .init(string: body))
                #expect(answer.status == 400, "\(answer.text)")
                #expect(answer.text.contains("can't be read as this address expects it") && answer.text.contains(words))
            }
        }
    }

    @Test func `what is no policy file, no decision and no version changes nothing and says why`() async throws {
        try await Self.with { scene, admin in
            let broken = try await Self.put("format = 1\nask = \"us\"\nrule = 1", scene, admin)
            #expect(broken.status == 400 && broken.text.contains("write each rule under a header of its own"))
            let large = try await Self.put(String(repeating: "#", count: PolicyStore.bytesMax + 1), scene, admin)
            #expect(large.status == 413, "\(large.text)")
            for (path, status, words) in [
                ("/decisions?decision=maybe", 400, "block, quarantine, flag or allow"),
                ("/decisions?limit=0", 400, "from 1 to 10000"), ("/decisions/foo/1.0.0", 404, "has no `foo` 1.0.0"),
                ("/decisions/foo/one", 400, "semver"),
            ] {
                let answer = try await scene.origin.call("GET", Self.base + path, as: admin)
                #expect(answer.status == status && answer.text.contains(words), "\(path): \(answer.text)")
            }
            #expect(try await scene.origin.slices.policies.history(of: scene.repository).isEmpty)
        }
    }
}
