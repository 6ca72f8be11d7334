import Registry
import Testing

struct CrateNameTests {
    @Test func `three spellings follow from one name`() throws {
        let name = try CrateName("Serde-JSON")
        #expect(name.spelling == "Serde-JSON")
        #expect(name.lowered == "serde-json")
        #expect(name.identity == "serde_json")
    }

    @Test(arguments: ["", "1password", "_x", "a+b", "naïve", "a/b", "..", String(repeating: "a", count: 65)])
    func `a name that breaks a rule is refused`(text: String) {
        #expect(throws: CrateName.Invalid.self) { try CrateName(text) }
    }

    @Test func `the refusal names the character`() {
        #expect(throws: CrateName.Invalid.badCharacter("+", in: "a+b")) { try CrateName("a+b") }
    }

    // F1: crates.io's words, which people search for.
    @Test(arguments: [
        ("", "the crate name cannot be empty"),
        ("1foo", "the name `1foo` cannot be used as a crate name, the name cannot start with a digit"),
        ("_foo", "the name `_foo` cannot be used as a crate name, the first character must be a letter from a to z"),
        ("-foo", "the name `-foo` cannot be used as a crate name, the first character must be a letter from a to z"),
        (
            "foo+bar",
            "invalid character `+` in crate name: `foo+bar`, characters must be an ASCII letter, digit, `-`, or `_`"
        ),
    ])
    func `the refusal says what is wrong`(name: String, text: String) {
        do {
            _ = try CrateName(name)
            Issue.record("`\(name)` was accepted")
        } catch {
            #expect(error.description == text)
        }
    }

    // F1: one character to a reader, two to the rule.
    @Test func `a combining accent is seen`() {
        #expect(throws: CrateName.Invalid.badCharacter("\u{301}", in: "caffe\u{301}")) { try CrateName("caffe\u{301}") }
    }

    @Test func `a name has at most 64 characters`() throws {
        let longest = String(repeating: "a", count: 64)
        #expect(try CrateName(longest).spelling == longest)
        #expect(throws: CrateName.Invalid.tooLong(longest + "a")) { try CrateName(longest + "a") }
    }

    // Conformance case A14.
    @Test(arguments: [("a", "1/a"), ("Ab", "2/ab"), ("abc", "3/a/abc"), ("AbCd_e", "ab/cd/abcd_e")])
    func `the index path depends on the length of the name`(name: String, path: String) throws {
        #expect(try CrateName(name).indexPath.description == path)
    }

    // Conformance cases A13 and A15.
    @Test(arguments: ["3/A/Abc", "3/b/abc", "abc", "ab/cd/../abcd", "/3/a/abc", "3/a/abc/", "ab/cd/abcd%00", ""])
    func `a path that we would not have written is no index path`(path: String) {
        #expect(IndexPath(parsing: path) == nil)
    }

    @Test(arguments: ["a", "ab", "abc", "abcd", "a-b_c9"])
    func `reading undoes writing`(name: String) throws {
        let path = try CrateName(name).indexPath
        #expect(IndexPath(parsing: path.description) == path)
    }
}
