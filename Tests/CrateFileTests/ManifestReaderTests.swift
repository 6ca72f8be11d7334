import CrateFile
import Registry
import Testing

struct ManifestReaderTests {
    @Test func `a manifest becomes a tree`() throws {
        let text = """
            # made by hand
            [package]
            name = "bar" # the name
            version = '1.0.0'
            authors = [
                "A", # one a line
                "B",
            ]
            metadata.docs."all features" = true

            [dependencies]
            foo = { version = "^1", optional = true, features = [] }

            [target.'cfg(windows)'.dependencies.win]
            version = "0.5"

            [[bin]]
            name = "one"
            [[bin]]
            name = "two"
            [bin.more]
            size = 1_000
            """
        let tree = try ManifestReader.read(text)
        #expect(tree["package"]?["name"] == .string("bar"))
        #expect(tree["package"]?["version"] == .string("1.0.0"))
        #expect(tree["package"]?["authors"] == .array([.string("A"), .string("B")]))
        #expect(tree["package"]?["metadata"]?["docs"]?["all features"] == .bool(true))
        #expect(
            tree["dependencies"]?["foo"]
                == .table(["version": .string("^1"), "optional": .bool(true), "features": .array([])]))
        #expect(tree["target"]?["cfg(windows)"]?["dependencies"]?["win"]?["version"] == .string("0.5"))
        #expect(
            tree["bin"]
                == .array([
                    .table(["name": .string("one")]),
                    .table(["name": .string("two"), "more": .table(["size": .integer(1000)])]),
                ]))
    }

    @Test(
        arguments: [
            ("0", .integer(0)), ("-17", .integer(-17)), ("+1_000", .integer(1000)),
            ("0xDEAD_beef", .integer(0xDEAD_BEEF)),
            ("0o755", .integer(0o755)), ("0b101", .integer(5)), ("9223372036854775807", .integer(.max)),
            ("-9223372036854775808", .integer(.min)), ("1.5", .float(1.5)), ("-0.25e2", .float(-25)),
            ("1e06", .float(1e6)), ("inf", .float(.infinity)), ("-inf", .float(-.infinity)), ("true", .bool(true)),
            ("1979-05-27", .date("1979-05-27")), ("07:32:00.5", .date("07:32:00.5")),
            ("1979-05-27 07:32:00Z", .date("1979-05-27 07:32:00Z")),
            ("2024-02-29T00:32:00.999-07:00", .date("2024-02-29T00:32:00.999-07:00")),
            (#""a\tb\u00e9\U0001F980\\""#, .string("a\tb\u{e9}\u{1F980}\\")), (#"'a\tb'"#, .string(#"a\tb"#)),
            ("\"\"\"\na\r\nb\"\"\"\"\"", .string("a\nb\"\"")), ("'''\n'a\\'''", .string("'a\\")),
            ("\"\"\"a \\\n\n   b\"\"\"", .string("a b")),
            (
                "[[1], [\"a\", 2.0],]",
                .array([
                    .array([.integer(1)]), .array([.string("a"), .float(2)]),
                ])
            ),
            ("{}", .table([:])), ("{ a.b = 1, a.c = 2 }", .table(["a": .table(["b": .integer(1), "c": .integer(2)])])),
        ] as [(String, ManifestValue)])
    func `a value is read`(text: String, value: ManifestValue) throws {
        #expect(try ManifestReader.read("v = \(text)\nw = 1")["v"] == value)
    }

    @Test(arguments: [
        "9223372036854775808", "0x8000000000000000", "01", "1__0", "_1", "1_", "1.", ".5", "1e", "0x-1", "+0x1", "--1",
        "tru", "TRUE", "1979-13-01", "2023-02-29", "24:00:00", "1979-05-27T07:32", "1979-05-27 07:32:00+24:00", "x",
        "\"a", "\"a\nb\"", "\"\\x\"", "\"\\ud800\"", "\"\\U00110000\"", "\"\\u00\"", "\"\u{1}\"", "'a\u{7F}'",
        "\"\"\"a", "[1 2]", "[1", "[,]", "{a = 1,}", "{a = 1\n}", "{a = 1, a = 2}", "{a = 1} b", "1 2", "", "# none",
    ])
    func `a value that TOML does not know is refused`(text: String) {
        #expect(throws: ManifestReader.Invalid.self) { try ManifestReader.read("v = \(text)") }
    }

    @Test(arguments: [
        "a = 1\na = 2", "[a]\n[a]", "a = 1\n[a]", "a = 1\n[a.b]", "[[a]]\n[a]", "[a]\n[[a]]", "a = []\n[[a]]",
        "a = {}\n[a.b]", "a.b = 1\n[a]", "[a.b.c]\n[a]\nb.d = 1", "a = 1\na.b = 2", "[a]\nb.c = 1\n[a.b]",
        "a = {b = 1}\na.c = 2", "[a", "[a]]", "[[a]", "[]", "[a.]", "= 1", "a", "a =", "a. = 1", "\"\"\"a\"\"\" = 1",
        "[a] b = 1", "a = 1 b = 2", "a = 1 # \u{1}", "a = 1\rb = 2", "\u{0}",
    ])
    func `a document that means two things is refused`(text: String) {
        #expect(throws: ManifestReader.Invalid.self) { try ManifestReader.read(text) }
    }

    @Test(arguments: [
        "[a.b]\n[a]\nc = 1", "[a]\nb.c = 1\n[a.b.d]", "[[a]]\n[a.b]\n[[a]]\n[a.b]", "\u{FEFF}a = 1", "", "\r\n# x\r\n",
        "a=1#x", "[ a . \"b\" ]", "\"\" = 1", "1.2 = 3", "a = 1\n\n",
    ])
    func `a document that means one thing is read`(text: String) throws {
        _ = try ManifestReader.read(text)
    }

    @Test func `a fault is told with its place`() {
        let fault = #expect(throws: ManifestReader.Invalid.self) {
            try ManifestReader.read("[package]\nname = \"é\"\n  é = 1")
        }
        #expect(fault?.line == 3)
        #expect(fault?.column == 3)
        #expect(
            fault?.description
                == "failed to parse `Cargo.toml` manifest file: line 3, column 3: expected a key")
    }

    // What the TOML library cut off or crashed on.
    @Test(arguments: [
        "a = 1\u{0}garbage", "\"a\\u0000b\" = 1", "a = \"x\\u0000y\"", "a = \"x\u{0}y\"", "a = 1 # \u{0}",
    ])
    func `a NUL is refused wherever it stands`(text: String) {
        #expect(throws: ManifestReader.Invalid.self) { try ManifestReader.read(text) }
    }

    /// Texts of a megabyte, made in the test so that its log stays readable.
    @Test(arguments: [
        ("v = ", "[", 500_000, ""), ("v = ", "{a=", 300_000, ""), ("", "a.", 500_000, "a = 1"),
        ("[", "a.", 500_000, "a]"),
    ])
    func `deep nesting is refused, not followed`(begin: String, step: String, count: Int, end: String) {
        let text = begin + String(repeating: step, count: count) + end
        #expect(throws: ManifestReader.Invalid.self) { try ManifestReader.read(text) }
    }

    @Test func `depths of a table and of a key below it add up`() {
        let keys = String(repeating: "a.", count: 40)
        #expect(throws: ManifestReader.Invalid.self) { try ManifestReader.read("[\(keys)a]\n\(keys)a = 1") }
    }

    @Test func `nesting within the limit is read`() throws {
        let depth = ManifestReader.depthMax - 1
        _ = try ManifestReader.read(
            "v = " + String(repeating: "[", count: depth) + "1" + String(repeating: "]", count: depth))
    }

    @Test func `tables and values are counted`() {
        let tables = String(repeating: "[[a]]\n", count: ManifestReader.tablesMax + 1)
        let values = "v = [" + String(repeating: "1,", count: ManifestReader.valuesMax) + "]"
        for text in [tables, values] {
            #expect(throws: ManifestReader.Invalid.self) { try ManifestReader.read(text) }
        }
    }
}
