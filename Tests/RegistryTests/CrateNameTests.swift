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
