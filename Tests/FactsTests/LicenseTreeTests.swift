import Facts
import Testing

struct LicenseTreeTests {
    @Test(arguments: [
        ("MIT", "MIT"),
        ("mit", "MIT"),
        ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
        (" MIT / APACHE-2.0 ", "MIT OR Apache-2.0"),
        ("(MIT OR Apache-2.0) AND Unicode-DFS-2016", "(MIT OR Apache-2.0) AND Unicode-DFS-2016"),
        ("MIT or Apache-2.0 and ISC", "MIT OR Apache-2.0 AND ISC"),
        ("((MIT) OR (ISC OR (Zlib)))", "MIT OR ISC OR Zlib"),
        ("MIT AND (ISC AND Zlib)", "MIT AND ISC AND Zlib"),
        ("Apache-2.0 WITH llvm-Exception", "Apache-2.0 WITH LLVM-exception"),
        ("Apache-2.0+", "Apache-2.0+"),
        ("GPL-2.0", "GPL-2.0-only"),
        ("GPL-2.0+", "GPL-2.0-or-later"),
        ("gpl-3.0-ONLY+", "GPL-3.0-or-later"),
        ("GPL-2.0 WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("GPL-2.0-with-classpath-exception", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("wxWindows", "LGPL-2.0-or-later WITH WxWindows-exception-3.1"),
        ("LicenseRef-Our-Terms OR MIT", "LicenseRef-Our-Terms OR MIT"),
        ("DocumentRef-x:LicenseRef-y", "DocumentRef-x:LicenseRef-y"),
        ("Proprietary AND MIT", "Proprietary AND MIT"),
        ("0BSD", "0BSD"),
    ])
    func `an expression has one canonical spelling, which reads as itself`(text: String, canonical: String) throws {
        let tree = try LicenseTree(text)
        #expect(tree.description == canonical)
        #expect(try LicenseTree(canonical) == tree)
    }

    @Test(arguments: [
        ("", LicenseTree.Invalid.empty), ("  ", .empty), ("MIT Apache-2.0", .unexpected("Apache-2.0")),
        ("MIT OR", .unfinished), ("OR MIT", .unexpected("OR")), ("(MIT", .unfinished), ("MIT)", .unexpected(")")),
        ("MIT, ISC", .unexpected("MIT,")), ("MIT Or ISC", .unexpected("Or")), ("MIT WITH", .unfinished),
        ("MIT WITH (LLVM-exception)", .unexpected("(")), ("LicenseRef-", .unexpected("LicenseRef-")),
        ("GPL-2.0-with-GCC-exception WITH LLVM-exception", .unexpected("WITH")), ("+", .unexpected("+")),
        ("MIT++", .unexpected("MIT++")), ("a:b", .unexpected("a:b")), ("MIT\u{0}", .unexpected("MIT\u{0}")),
        (String(repeating: "(", count: 33) + "MIT", .tooDeep), (String(repeating: "x", count: 2_001), .tooLong),
        (Array(repeating: "M", count: 201).joined(separator: "/"), .tooLong),
    ])
    func `what is no expression is refused with its place`(text: String, reason: LicenseTree.Invalid) {
        #expect(throws: reason) { try LicenseTree(text) }
    }

    @Test func `names that no list knows are kept and told`() throws {
        let terms = try LicenseTree("MIT OR Acme-1.0 OR Apache-2.0 WITH Acme-exception OR LicenseRef-X").terms
        #expect(terms.map(\.isKnown) == [true, false, false, false])
        #expect(terms.map(\.isReference) == [false, false, false, true])
    }

    @Test func `32 levels of parentheses are read`() throws {
        let text = String(repeating: "(", count: 32) + "MIT" + String(repeating: ")", count: 32)
        #expect(try LicenseTree(text).description == "MIT")
    }
}

struct LicenseRulesTests {
    @Test(arguments: [
        ("MIT OR Apache-2.0", ["Apache-2.0"], []),
        ("MIT AND Apache-2.0", ["MIT", "Apache-2.0"], []),
        ("(MIT OR GPL-3.0) AND Unicode-3.0", ["MIT", "Unicode-3.0"], []),
        ("GPL-3.0 OR MIT AND ISC", ["MIT", "ISC"], []),
        ("GPL-2.0-or-later", ["GPL-3.0-only"], []),
        ("GPL-2.0+", ["GPL-2.0"], []),
        ("GPL-3.0-only", ["GPL-2.0-or-later"], []),
        ("Apache-2.0+", ["Apache-2.0"], []),
        ("Apache-2.0 WITH LLVM-exception", ["Apache-2.0 WITH LLVM-exception"], []),
        ("CC-BY-4.0", ["CC-BY-*"], []),
        ("LicenseRef-Acme", ["LicenseRef-Acme"], []),
        ("Acme-1.0", ["acme-1.0", "Acme-1.0"], []),
        ("GPL-2.0-or-later", ["GPL-*"], ["GPL-2.0-only"]),
    ])
    func `one choice that passes is enough`(text: String, allow: [String], deny: [String]) throws {
        #expect(try failures(text, allow, deny) == [])
    }

    @Test(arguments: [
        ("MIT AND GPL-3.0", ["MIT"], [], ["GPL-3.0-only not-allowed"]),
        ("GPL-2.0 OR GPL-3.0", ["MIT"], [], ["GPL-2.0-only not-allowed", "GPL-3.0-only not-allowed"]),
        (
            "(GPL-2.0 OR ISC) AND (GPL-2.0 OR Zlib)", ["MIT", "ISC"], [],
            ["GPL-2.0-only not-allowed", "Zlib not-allowed"]
        ),
        ("GPL-2.0-only", ["GPL-3.0-or-later"], [], ["GPL-2.0-only not-allowed"]),
        ("Apache-2.0 WITH LLVM-exception", ["Apache-2.0"], [], ["Apache-2.0 WITH LLVM-exception not-allowed"]),
        ("Apache-2.0", ["Apache-2.0 WITH LLVM-exception"], [], ["Apache-2.0 not-allowed"]),
        ("Acme-1.0", ["MIT"], [], ["Acme-1.0 unknown"]),
        ("MIT-0", ["MIT"], [], ["MIT-0 not-allowed"]),
        ("BSD-2-Clause", ["BSD-3-Clause"], [], ["BSD-2-Clause not-allowed"]),
        ("MIT", ["MIT"], ["MIT"], ["MIT denied"]),
        ("AGPL-3.0-or-later", ["AGPL-*"], ["AGPL-3.0-or-later"], ["AGPL-3.0-or-later denied"]),
        ("GPL-3.0 WITH GCC-exception-3.1", ["GPL-*"], ["GPL-3.0"], ["GPL-3.0-only WITH GCC-exception-3.1 denied"]),
    ])
    func `a refusal names what failed, and why`(
        text: String, allow: [String], deny: [String], expected: [String]
    ) throws {
        #expect(try failures(text, allow, deny) == expected)
    }

    @Test func `with a deny list alone only what nobody knows is refused beside it`() throws {
        #expect(try failures("MIT OR GPL-3.0", nil, ["GPL-*"]) == [])
        #expect(try failures("LicenseRef-Acme", nil, ["GPL-*"]) == [])
        #expect(try failures("LicenseRef-Acme", nil, ["LicenseRef-*"]) == ["LicenseRef-Acme denied"])
        #expect(try failures("Acme-1.0", nil, []) == ["Acme-1.0 unknown"])
    }

    @Test(arguments: ["", "*", "MIT OR ISC", "MIT AND", "G*L-*"])
    func `an entry is one licence or the beginning of names`(text: String) {
        #expect(throws: LicenseEntry.Invalid.self) { try LicenseEntry(text) }
    }

    private func failures(_ text: String, _ allow: [String]?, _ deny: [String]) throws -> [String] {
        let rules = LicenseRules(
            allow: try allow?.map { try LicenseEntry($0) }, deny: try deny.map { try LicenseEntry($0) })
        guard case .refused(let failures) = rules.verdict(on: try LicenseTree(text)) else { return [] }
        return failures.map { "\($0.term) \($0.reason.rawValue)" }
    }
}
