import PolicyRules
import Registry
import Testing

struct PolicyRemarksTests {
    private static func remarks(_ rule: String, at now: Int = 0, in place: PolicyPlace? = nil) throws -> [String] {
        let head = "format = 1\nask = \"us\"\n[[rule]]\nname = \"a\"\ndecision = \"block\"\nreason = \"r\"\n"
        return try PolicyFile(parsing: head + rule).remarks(at: now, in: place)
    }

    @Test(arguments: [
        (#"["MIT", "gpl-2.0+", "Apache-2.0 WITH LLVM-exception", "BSD-*", "licenseref-*", "LicenseRef-X"]"#, 0),
        (#"["MTI"]"#, 1), (#"["Apache-2.0 WITH LLVM-exeption"]"#, 1), (#"["Apahce-*", "Unicode-*"]"#, 1),
    ])
    func `licences that no list knows are remarked on, in both lists`(list: String, count: Int) throws {
        for key in ["allow", "deny"] {
            #expect(try Self.remarks("when.licenses = { \(key) = \(list) }").count == count, "\(key) \(list)")
        }
    }

    @Test func `sources and repositories that are not there are remarked on where that is known`() throws {
        let rule = """
            when.yanked = true
            for.sources = ["upstream", "published", "imported", "crates-io", "crates_io"]
            for.repositories = ["main"]
            """
        let main = PolicyPlace(repository: try RepositoryName("main"), upstreams: ["crates-io"])
        #expect(try Self.remarks(rule) == [])
        let there = try Self.remarks(rule, in: main)
        #expect(there.count == 1 && there[0].contains("has no upstream `crates_io`"), "\(there)")
        let other = PolicyPlace(repository: try RepositoryName("other"), upstreams: ["crates-io", "crates_io"])
        let elsewhere = try Self.remarks(rule, in: other)
        #expect(elsewhere.count == 1 && elsewhere[0].contains("does nothing in `other`"), "\(elsewhere)")
    }

    @Test func `an exception is remarked on from the moment when it ends`() throws {
        let rule = """
            when.yanked = true
            [[exception]]
            crate = "foo"
            rules = ["a"]
            reason = "r"
            owner = "alice"
            expires = 2026-01-01
            """
        #expect(try Self.remarks(rule, at: 1_767_225_599) == [])
        #expect(try Self.remarks(rule, at: 1_767_225_600) == ["the exception of alice for `foo` has ended; it can go"])
    }
}
