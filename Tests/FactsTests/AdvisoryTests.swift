import CrateFile
import Facts
import Registry
import TestSupport
import Testing

struct AdvisoryReaderTests {
    private let markdown = """
        ```toml
        [advisory]
        id = "RUSTSEC-2026-0001"
        package = "Foo-Bar"
        date = "2026-01-02"
        url = "https://example.org/1"
        references = ["https://example.org/0"]
        aliases = ["CVE-2026-1"]
        categories = ["memory-corruption"]
        cvss = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"

        [versions]
        patched = [">= 1.0.1, < 2.0.0-rc.1", "^2.1.0"]
        unaffected = ["< 0.5.0"]

        [affected]
        os = ["linux"]
        functions = { "foo::b" = ["< 1.0.1"], "foo::a" = ["< 1.0.1"] }
        ```

        # A `title`

        Text with
        ```toml
        code
        ```

        """

    private let osv = """
        {"id":"RUSTSEC-2026-0001","published":"2026-01-02T12:00:00Z","aliases":["CVE-2026-1"],"summary":"A `title`",
        "details":"Text with\\n```toml\\ncode\\n```","severity":[{"type":"CVSS_V3",
        "score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"affected":[{"package":{"ecosystem":"crates.io",
        "name":"Foo-Bar"},"ecosystem_specific":{"affects":{"os":["linux"],"functions":["foo::a","foo::b"]}},
        "database_specific":{"categories":["memory-corruption"],"informational":null},"ranges":[{"type":"SEMVER","events":[
        {"introduced":"0.5.0"},{"fixed":"1.0.1"},{"introduced":"2.0.0-rc.1"},{"fixed":"2.1.0"},
        {"introduced":"3.0.0-0"}]}]}],"references":[{"type":"PACKAGE","url":"https://crates.io/crates/Foo-Bar"},
        {"type":"WEB","url":"https://example.org/0"},{"type":"REPORT","url":"https://example.org/1"}]}
        """

    @Test func `both forms give the same value`() throws {
        let advisory = try MarkdownAdvisory.read(markdown, in: .crates)
        #expect(advisory == (try OSVAdvisory.read(Array(osv.utf8))))
        #expect(advisory == (try MarkdownAdvisory.read(markdown.replacing("\n", with: "\r\n"), in: .crates)))
        #expect(advisory.identity == "foo_bar")
        #expect(advisory.kind == .vulnerability)
        #expect(advisory.title == "A `title`")
        #expect(advisory.score?.description == "9.8")
        #expect(advisory.functions == ["foo::a", "foo::b"])
        #expect(advisory.references == ["https://example.org/0", "https://example.org/1"])
    }

    @Test(arguments: [
        ("0.4.9", false), ("0.5.0-rc.1", false), ("0.5.0", true), ("1.0.1-rc.1", true), ("1.0.1", false),
        ("1.9.9", false), ("2.0.0-rc.0", false), ("2.0.0-rc.1", true), ("2.0.9", true), ("2.1.0-rc.1", true),
        ("2.1.0", false), ("2.9.9+x", false), ("3.0.0-alpha", true), ("3.0.0", true),
    ])
    func `pre-releases are affected by their place in the order`(version: String, isAffected: Bool) throws {
        let advisory = try MarkdownAdvisory.read(markdown, in: .crates)
        #expect(advisory.affects(try Version(version)) == isAffected)
    }

    /// As the `rustsec` crate reads them: intervals, not requirements of a manifest.
    @Test(arguments: [
        ([], ["1.0.0", "0.0.0-a"], []),
        (["^0"], ["1.0.0-0"], ["0.9.9"]), (["^0.0"], ["0.1.0-0"], ["0.0.9"]), (["^0.0.3"], ["0.0.4-0"], ["0.0.3"]),
        (["^0.3.1"], ["0.4.0-0", "0.3.1-rc.1"], ["0.3.9"]), (["^1.2"], ["2.0.0-0", "1.1.9"], ["1.2.0", "1.9.9"]),
        (["~1.2.3"], ["1.3.0-0", "1.2.2"], ["1.2.3", "1.2.9"]), (["~1"], ["2.0.0-0"], ["1.0.0"]),
        (["=1.2.0"], ["1.1.9", "1.2.1-0"], ["1.2.0"]), (["> 1.2"], ["1.2.0"], ["1.2.1-0", "1.2.1"]),
        (["<= 1.2.3-rc.1"], ["1.2.3-rc.1.0", "1.2.3"], ["1.2.3-rc.1", "1.2.2"]),
        ([">= 1.0, < 1.5", "< 1.2", ">= 2.0"], ["1.5.0", "1.9.9", "2.0.0-rc.1"], ["1.4.9", "0.1.0", "2.0.0"]),
        (["*"], [], ["0.0.1", "1.0.0-rc.1"]), (["> 2.0", "< 2.0.1"], [], ["2.0.0", "1.0.0", "3.0.0"]),
    ])
    func `what is neither patched nor unaffected is affected`(
        patched: [String], affected: [String], safe: [String]
    ) throws {
        let text = markdown.replacing(
            #/patched = .*/#, with: "patched = [\(patched.map { "\"\($0)\"" }.joined(separator: ","))]"
        )
        .replacing(#/unaffected = .*/#, with: "")
        let advisory = try MarkdownAdvisory.read(text, in: .crates)
        for version in affected { #expect(advisory.affects(try Version(version)), "\(version)") }
        for version in safe { #expect(!advisory.affects(try Version(version)), "\(version)") }
    }

    @Test(arguments: [
        ("", ""), ("```toml\n", ""), ("id = \"RUSTSEC-2026-0001\"", "id = 1"), ("2026-01-02", "2026-13-02"),
        ("# A", "A"), ("[versions]", "[version]"), ("\"^2.1.0\"", "\"^x\""), ("\"^2.1.0\"", "1"),
        ("date =", "informational = \"weird\"\ndate ="), ("\"^2.1.0\"", "\"^18446744073709551615.0.0\""),
    ])
    func `a broken file is refused`(part: String, replacement: String) {
        let text = part.isEmpty ? "" : markdown.replacing(part, with: replacement, maxReplacements: 1)
        #expect(throws: Advisory.Invalid.self) { try MarkdownAdvisory.read(text, in: .crates) }
    }

    @Test(arguments: [
        ("", ""), ("crates.io", "npm"), ("SEMVER", "OTHER"), ("{\"introduced\":\"0.5.0\"},", ""),
        ("\"0.5.0\"", "5"), ("\"0.5.0\"", "\"0.5\""), ("\"published\"", "\"p\""), ("{\"fixed\"", "{\"limit\""),
    ])
    func `a broken record is refused`(part: String, replacement: String) {
        let text = part.isEmpty ? "[]" : osv.replacing(part, with: replacement, maxReplacements: 1)
        #expect(throws: Advisory.Invalid.self) { try OSVAdvisory.read(Array(text.utf8)) }
    }

    @Test func `an advisory of the Rust distribution holds for no crate`() throws {
        #expect(try MarkdownAdvisory.read(markdown, in: .rust).identity == nil)
    }

    @Test(arguments: [
        ("advisory-db/crates/foo/RUSTSEC-2026-0001.md", AdvisoryDatabase.Form.markdown(.crates)),
        ("rust/std/CVE-2026-1.md", .markdown(.rust)), ("osv/crates/RUSTSEC-2026-0001.json", .osv),
        ("RUSTSEC-2026-0001.json", .osv), ("EXAMPLE_ADVISORY.md", nil), ("a/README.md", nil),
        ("crates/foo/x.toml", nil), ("package.json", nil), ("", nil),
    ])
    func `a path tells the form`(path: String, form: AdvisoryDatabase.Form?) {
        #expect(AdvisoryDatabase.Form(path: path) == form)
    }

    @Test func `a file that can't be read is told and the others are kept`() throws {
        var database = AdvisoryDatabase()
        try database.add(Array(osv.utf8), path: "a.json", form: .osv)
        try database.add(Array("{".utf8), path: "b.json", form: .osv)
        try database.add([0xFF], path: "c.md", form: .markdown(.crates))
        try database.add(Array(osv.replacing("A `title`", with: "B").utf8), path: "d.json", form: .osv)
        #expect(database.advisories.keys.sorted() == ["RUSTSEC-2026-0001"])
        #expect(database.problems.map { $0.prefix(2) } == ["b.", "c.", "d."])
    }
}

/// The whole database in both forms, held against each other and against what the usual audit tool says.
@Suite(.enabled(if: Corpus.isHere, "needs the shared data: see LONGSHORE_CORPUS in README.md"))
struct AdvisoryOracleTests {
    private func database(_ name: String) throws -> AdvisoryDatabase {
        var database = AdvisoryDatabase()
        try database.add(archive: Corpus.source + "/" + name)
        return database
    }

    @Test func `every advisory is the same in both forms`() throws {
        let markdown = try database("rustsec-advisory-db.tar.gz")
        let osv = try database("rustsec-osv.tar.gz")
        #expect(markdown.problems == [] && osv.problems == [])
        #expect(markdown.advisories.count == 1_225)
        let crates = markdown.advisories.filter { $0.value.collection == .crates }
        #expect(crates.count == 1_205)
        // The export has a draft besides, RUSTSEC-2025-0000, whose content was published under another number.
        #expect(Set(osv.advisories.keys) == Set(crates.keys))
        for (id, advisory) in crates { #expect(osv.advisories[id] == advisory, "\(id)") }
    }

    @Test(arguments: ["rustsec-advisory-db.tar.gz", "rustsec-osv.tar.gz"])
    func `each version has the advisories that the audit tool reports`(name: String) throws {
        let book = AdvisoryBook(try database(name).advisories.values)
        let rows = try Oracle.rows("audit-oracle.tsv.gz")
        #expect(rows.count == 11_244)
        var expected: [String: Set<[String]>] = [:]
        for row in rows {
            expected["\(row[0])@\(row[1])", default: []].formUnion(row[2] == "-" ? [] : [Array(row[2...])])
        }
        for (key, wanted) in expected {
            let parts = key.split(separator: "@").map(String.init)
            let found = book.matches(
                identity: try CrateName(parts[0]).identity, try Version(parts[1])
            ).filter { $0.withdrawn == nil }
            #expect(Set(found.map { [$0.id, $0.kind.rawValue, $0.vector ?? "-"] }) == wanted, "\(key)")
        }
    }
}
