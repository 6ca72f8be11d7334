import Testing

@testable import Registry

struct VersionTests {
    // The examples of semver.org, section 11.
    @Test func `versions stand in semver's order`() throws {
        let ordered = [
            "0.0.1", "0.1.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
            "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.0+build", "2.0.0", "2.1.0", "2.1.1", "2.1.10", "10.0.0",
        ]
        let versions = try ordered.map { try Version($0) }
        for (place, one) in versions.enumerated() {
            for other in versions[(place + 1)...] {
                #expect(one < other)
                #expect(!(other < one))
            }
        }
    }

    @Test func `numbers of a pre-release compare by value, however long they are`() throws {
        #expect(try Version("1.0.0-9") < Version("1.0.0-99999999999999999999999999"))
        #expect(try Version("1.0.0-99") < Version("1.0.0-9a"))
    }

    @Test(arguments: [
        "0.0.0", "1.2.3", "1.0.0-0", "1.0.0--", "1.0.0-a.b-c.1", "1.0.0+001", "1.0.0-rc.1+build.5",
        "18446744073709551615.0.0", "1.0.0+-",
    ])
    func `printing undoes reading`(text: String) throws {
        #expect(try Version(text).description == text)
    }

    // F4
    @Test(arguments: [
        "", "1", "1.0", "1.0.0.0", "v1.0.0", "01.0.0", "1.00.0", "1.0.0-01", "1.0.0-", "1.0.0+", "1.0.0-a..b",
        "1.0.0-ä", "1.0.0 ", " 1.0.0", "1.0.0+a+b", "-1.0.0", "+1.0.0", "1.0.x", "18446744073709551616.0.0",
        "1.0.0\u{301}", "１.0.0",
    ])
    func `what is no semver is refused`(text: String) {
        #expect(throws: Version.Invalid(text: text, reason: .notSemver)) { try Version(text) }
    }

    // F4
    @Test func `a version has at most 150 characters`() throws {
        let longest = "1.0.0-" + String(repeating: "a", count: 144)
        #expect(try Version(longest).description == longest)
        #expect(throws: Version.Invalid(text: longest + "a", reason: .tooLong)) { try Version(longest + "a") }
    }

    // A22, F5
    @Test func `build metadata does not make another version`() throws {
        #expect(try Version("1.0.0-a+x").bare == Version("1.0.0-a+y").bare)
        #expect(try Version("1.0.0-a").bare != Version("1.0.0").bare)
    }
}
