import Foundation
import Registry
import TestSupport
import Testing

@testable import Origin

struct SearchRouteTests {
    @Test func `exact names come first, then beginnings, then what is about it`() async throws {
        try await SliceOrigin.with { origin, alice in
            for (name, description) in [
                ("json-tools", "Tools"), ("json", "The thing itself"), ("serde", "Reads json json json, and writes it"),
                ("tokio", "Runs tasks"), ("my-json", "Mine"),
            ] {
                let crate = MadeCrate(name, "1.0.0").described(description)
                #expect(try await origin.publish(crate, alice).status == 200)
            }
            let names = try await search(origin, "q=json").names
            #expect(names.prefix(2) == ["json", "json-tools"])
            #expect(Set(names) == ["json", "json-tools", "my-json", "serde"])
            #expect(try await search(origin, "q=toki").names == ["tokio"])
            #expect(try await search(origin, "q=running%20task").names == ["tokio"])
            #expect(try await search(origin, "q=my%5Fjson").names.first == "my-json")
            #expect(try await search(origin, "q=nothing").total == 0)
            #expect(try await search(origin, "").names == ["json", "json-tools", "my-json", "serde", "tokio"])
        }
    }

    // H10, H14
    @Test func `pages are clamped and count all hits`() async throws {
        try await SliceOrigin.with { origin, alice in
            for number in 0..<12 { _ = try await origin.publish(MadeCrate("a\(number)", "1.0.0"), alice) }
            #expect(try await search(origin, "q=a&x=y").names.count == 10)
            #expect(try await search(origin, "q=a&per_page=0").names.count == 1)
            #expect(try await search(origin, "q=a&per_page=1000").names.count == 12)
            #expect(try await search(origin, "q=a&per_page=abc").names.count == 10)
            let second = try await search(origin, "q=a&per_page=5&page=3")
            #expect(second.names.count == 2 && second.total == 12)
            #expect(try await search(origin, "q=a&per_page=5&page=9").total == 12)
        }
    }

    @Test(arguments: ["'", "%27%3B--", "%26%7C!()", "a%00b", "%25", "%F0%9F%A6%80", "a'%3A*", "%5C", "-", "%22"])
    func `odd queries are only words`(query: String) async throws {
        try await SliceOrigin.with { origin, _ in
            let answer = try await origin.send("GET", "/main/api/v1/crates?q=\(query)")
            #expect(answer.status == 200, "\(answer.body)")
        }
    }

    @Test func `a private repository shows a token what it may read`() async throws {
        try await SliceOrigin.with(isPrivate: true) { origin, alice in
            for name in ["foo-a", "foo-b", "bar"] { _ = try await origin.publish(MadeCrate(name, "1.0.0"), alice) }
            #expect(try await origin.send("GET", "/main/api/v1/crates?q=foo").status == 401)
            let some = try await origin.token("ci", [.read], crates: ["foo*"])
            #expect(try await search(origin, "", token: some).names == ["foo-a", "foo-b"])
            let one = try await origin.token("one", [.read], crates: ["foo-b"])
            #expect(try await search(origin, "q=foo", token: one).names == ["foo-b"])
            let publisher = try await origin.token("pub", [.publishNew])
            #expect(try await origin.send("GET", "/main/api/v1/crates", token: publisher).status == 403)
        }
    }

    private struct Found: Decodable {
        struct Crate: Decodable { let name: String }
        struct Meta: Decodable { let total: Int }
        let crates: [Crate]
        let meta: Meta

        var names: [String] { crates.map(\.name) }
        var total: Int { meta.total }
    }

    private func search(_ origin: SliceOrigin, _ query: String, token: String? = nil) async throws -> Found {
        let answer = try await origin.send("GET", "/main/api/v1/crates?\(query)", token: token)
        #expect(answer.status == 200, "\(answer.body)")
        return try JSONDecoder().decode(Found.self, from: Data(answer.bytes))
    }
}
