import FoundationEssentials
import Registry
import Testing

struct GrantTests {
    @Test func `JSON holds everything, sorted`() throws {
        let grant = Grant(
            actions: [.yank, .read, .publishNew], repositories: [try RepositoryName("main"), try RepositoryName("b")],
            crates: [try #require(CratePattern("foo-*")), try #require(CratePattern("Bar"))])
        let json = try json(grant)
        #expect(
            json
                == #"{"actions":["publish-new","read","yank"],"crates":["foo_*","bar"],"repositories":["b","main"]}"#)
        #expect(try JSONDecoder().decode(Grant.self, from: Data(json.utf8)) == grant)
    }

    @Test func `a star stands for all repositories`() throws {
        let grant = Grant(actions: [.admin], repositories: nil)
        #expect(try json(grant) == #"{"actions":["admin"],"crates":["*"],"repositories":["*"]}"#)
        #expect(try JSONDecoder().decode(Grant.self, from: Data(try json(grant).utf8)) == grant)
    }

    // A grant that is misread must not allow more.
    @Test(arguments: [
        #"{"actions":["fly"],"repositories":["*"],"crates":["*"]}"#, #"{"actions":["read"],"crates":["*"]}"#,
        #"{"actions":["read"],"repositories":["*","main"],"crates":["*"]}"#,
        #"{"actions":["read"],"repositories":["main"],"crates":["a**"]}"#,
        #"{"actions":["read"],"repositories":["main"]}"#,
    ])
    func `a grant with a part that we don't know is refused`(json: String) {
        #expect(throws: (any Error).self) { try JSONDecoder().decode(Grant.self, from: Data(json.utf8)) }
    }

    @Test(arguments: [
        ("*", "serde", true), ("serde", "Serde", true), ("serde", "serde_json", false), ("foo-*", "foo_bar", true),
        ("foo-*", "foo", false), ("foo*", "foobar", true), ("foo-bar", "foo_bar", true), ("FOO*", "foo", true),
    ])
    func `patterns compare identities`(pattern: String, crate: String, isCovered: Bool) throws {
        #expect(try #require(CratePattern(pattern)).covers(try CrateName(crate)) == isCovered)
    }

    @Test(arguments: ["", "**", "*foo", "f*o", "1*", "a b", "-*"]) func `text that can't match is no pattern`(
        text: String
    ) {
        #expect(CratePattern(text) == nil)
    }

    // D4, D17
    @Test func `a grant allows its actions in its repositories on its crates only`() throws {
        let (main, other) = (try RepositoryName("main"), try RepositoryName("other"))
        let (foo, bar) = (try CrateName("foo"), try CrateName("bar"))
        let grant = Grant(actions: [.read], repositories: [main], crates: [try #require(CratePattern("foo"))])
        #expect(grant.allows(.read, in: main, of: foo))
        #expect(grant.allows(.read, in: main, of: nil))
        #expect(!grant.allows(.read, in: main, of: bar))
        #expect(!grant.allows(.read, in: other, of: foo))
        #expect(!grant.allows(.yank, in: main, of: foo))
        #expect(Grant(actions: [.admin], repositories: [main]).allows(.yank, in: main, of: bar))
        #expect(!Grant(actions: [.admin], repositories: [main]).allows(.read, in: other, of: bar))
    }

    private func json(_ grant: Grant) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(grant), as: UTF8.self)
    }
}
