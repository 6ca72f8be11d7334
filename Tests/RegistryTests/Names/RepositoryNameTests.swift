import Registry
import Testing

struct RepositoryNameTests {
    @Test(arguments: ["main", "a", "team-7", String(repeating: "a", count: 64)])
    func `a name of lower-case letters, digits and dashes is taken as it is`(name: String) throws {
        #expect(try RepositoryName(name).description == name)
    }

    @Test(arguments: ["Main", "1a", "-a", "a_b", "a.b", "a/b", "ä", "a\u{301}", "..", "a b"])
    func `other characters are refused`(name: String) {
        #expect(throws: RepositoryName.Invalid.badCharacter(name)) { try RepositoryName(name) }
    }

    @Test(arguments: RepositoryName.taken) func `a name that begins another address is refused`(name: String) {
        #expect(throws: RepositoryName.Invalid.taken(name)) { try RepositoryName(name) }
    }

    @Test func `an empty and an overlong name are refused`() {
        let long = String(repeating: "a", count: 65)
        #expect(throws: RepositoryName.Invalid.empty) { try RepositoryName("") }
        #expect(throws: RepositoryName.Invalid.tooLong(long)) { try RepositoryName(long) }
    }
}
