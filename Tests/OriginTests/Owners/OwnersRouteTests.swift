import Registry
import TestSupport
import Testing

@testable import Origin

struct OwnersRouteTests {
    // H7, H8
    @Test func `owners are listed, added and removed, and the last one stays`() async throws {
        try await SliceOrigin.with { origin, alice in
            _ = try await origin.publish(MadeCrate("foo", "1.0.0"), alice)
            let bob = try await origin.token("bob", Action.allCases.filter { $0 != .admin })
            let path = "/main/api/v1/crates/foo/owners"
            #expect(try await origin.send("GET", path).body.contains(#""login":"alice""#))
            #expect(try await origin.publish(MadeCrate("foo", "1.1.0"), bob).status == 403)

            let added = try await origin.send("PUT", path, token: alice, body: Array(#"{"users":["bob"]}"#.utf8))
            #expect(added.status == 200 && added.body.contains(#""ok":true"#) && added.body.contains(#""msg":"#))
            #expect(try await origin.publish(MadeCrate("foo", "1.1.0"), bob).status == 200)

            let removed = try await origin.send("DELETE", path, token: bob, body: Array(#"{"users":["alice"]}"#.utf8))
            #expect(removed.status == 200 && removed.body.contains(#""msg":"#))
            let last = try await origin.send("DELETE", path, token: bob, body: Array(#"{"users":["bob"]}"#.utf8))
            #expect(last.status == 400 && last.detail.contains("cannot remove all"))
            #expect(try await !origin.send("GET", path).body.contains("alice"))
        }
    }

    @Test func `bad requests are refused with the next step`() async throws {
        try await SliceOrigin.with { origin, alice in
            _ = try await origin.publish(MadeCrate("foo", "1.0.0"), alice)
            let many = (0...10).map { "\"u\($0)\"" }.joined(separator: ",")
            let cases: [(body: String, status: Int, detail: String)] = [
                (#"{"users":["nobody"]}"#, 400, "could not find user with login `nobody`"),
                (#"{"users":[]}"#, 400, "names nobody"), ("{\"users\":[\(many)]}", 400, "at most 10"),
                ("nonsense", 400, "JSON"), ("", 400, "JSON"), (#"{"users":"bob"}"#, 400, "JSON"),
            ]
            for (body, status, detail) in cases {
                let answer = try await origin.send(
                    "PUT", "/main/api/v1/crates/foo/owners", token: alice, body: Array(body.utf8))
                #expect(answer.status == status && answer.detail.contains(detail), "\(body): \(answer.body)")
            }
            let large = [UInt8](repeating: 32, count: 1 << 20)
            let answer = try await origin.send("PUT", "/main/api/v1/crates/foo/owners", token: alice, body: large)
            #expect(answer.status == 413 && answer.details.count == 1)
            let absent = try await origin.send("GET", "/main/api/v1/crates/bar/owners")
            #expect(absent.status == 404 && absent.details.count == 1)
        }
    }
}
