import Foundation
import PolicyRules
import Testing

struct PolicyCaseTests {
    private static let policy = """
        format = 1
        ask = "us"
        [[rule]]
        name = "cooldown"
        decision = "quarantine"
        reason = "it is too new"
        when.younger-than = "3d"
        [[rule]]
        name = "critical"
        decision = "block"
        reason = "no"
        when.severity = "critical"
        """

    private static func objections(_ cases: String) throws -> [String] {
        let book = RuleBook(try PolicyFile(parsing: policy))
        return try PolicyCase.read(cases).compactMap { $0.objection(to: book.judge($0.facts, at: $0.now)) }
    }

    private static let critical = "{ id = \"A-1\", vector = \"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\" }"

    @Test func `a case that holds has no objection`() throws {
        let cases = """
            [[case]]
            name = "harmless"
            expect = "allow"
            version = { name = "foo", version = "1.0.0" }
            [[case]]
            name = "hole"
            expect = "block"
            rule = "critical"
            version = { name = "foo", version = "1.0.0", advisories = [\(Self.critical)] }
            [[case]]
            name = "young"
            now = 2026-01-02
            expect = "quarantine"
            version = { name = "foo", version = "1.0.0", published = 2026-01-01 }
            [[case]]
            name = "undated"
            expect = "quarantine"
            version = { name = "foo", version = "1.0.0", undated = true }
            """
        #expect(try Self.objections(cases) == [])
    }

    @Test func `a case that does not hold says what the rules say`() throws {
        let cases = """
            [[case]]
            name = "hole"
            expect = "allow"
            version = { name = "foo", version = "1.0.0", advisories = [\(Self.critical)] }
            [[case]]
            name = "other rule"
            expect = "block"
            rule = "cooldown"
            version = { name = "foo", version = "1.0.0", advisories = [\(Self.critical)] }
            """
        #expect(
            try Self.objections(cases) == [
                "expected allow, the rules say block, by `critical`: A-1 is critical (9.8)",
                "expected rule `cooldown` to decide, the rules say block, by `critical`: A-1 is critical (9.8)",
            ])
    }

    @Test(arguments: [
        ("", "there must be 1 to 2000 cases"), ("[[case]]\nname = \"a\"", "case 1: `expect` is missing"),
        ("[[case]]\nname = \"a\"\nexpect = \"block\"", "case 1: `version` is missing"),
        (
            "[[case]]\nname = \"a\"\nexpect = \"block\"\nversion = { name = \"foo\" }",
            "`name` and `version` must be there"
        ),
        (
            "[[case]]\nname = \"a\"\nexpect = \"block\"\nversion = { name = \"foo\", version = \"1.0.0\", licence = \"MIT\" }",
            "there is no key `licence`"
        ),
        ("[[case]]\nname = \"a\"\nexpect = \"block\"\nnow = \"soon\"", "case 1: `now` must be a time"),
    ])
    func `a case that can't be meant is refused with its place`(text: String, want: String) throws {
        let fault = #expect(throws: PolicyFile.Invalid.self) { try PolicyCase.read(text) }
        #expect(fault?.description.contains(want) == true, "\(fault?.description ?? "")")
    }
}

/// docs/POLICY.md is what people copy from.
struct PolicyPageTests {
    @Test func `the rules and the case of the page are read, and the case holds`() throws {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../docs/POLICY.md")
        let text = try String(contentsOf: page.standardizedFileURL, encoding: .utf8)
        let blocks = text.components(separatedBy: "```toml\n").dropFirst().compactMap {
            $0.components(separatedBy: "```").first
        }
        try #require(blocks.count == 2)
        let book = RuleBook(try PolicyFile(parsing: blocks[0]))
        let cases = try PolicyCase.read(blocks[1])
        #expect(!cases.isEmpty && cases.allSatisfy { $0.objection(to: book.judge($0.facts, at: $0.now)) == nil })
    }
}
