import Testing

@testable import Registry

struct VersionRequirementTests {
    @Test(arguments: [
        ("1.2", "^1.2"), ("^1", "^1"), ("1.2.3", "^1.2.3"), ("=1", "=1"), ("=1.2.3-rc.1", "=1.2.3-rc.1"),
        ("~1.2.3", "~1.2.3"), (">=1.0,<2", ">=1.0, <2"), (">= 1.0 , < 2", ">=1.0, <2"), ("*", "*"), (" * ", "*"),
        ("x", "*"), ("X", "*"), ("1.*", "1.*"), ("1.*.*", "1.*"), ("1.2.*", "1.2.*"), ("1.x", "1.*"), ("=1.*", "=1"),
        (">1.2.*", ">1.2"), ("1.2.3+build", "^1.2.3"), ("1.2.3-a+b", "^1.2.3-a"), ("0.0.0", "^0.0.0"),
        ("> 1", ">1"), ("<=1.2, 1", "<=1.2, ^1"),
    ])
    func `a requirement is printed in cargo's normal form`(text: String, normal: String) throws {
        #expect(try VersionRequirement(text).description == normal)
        #expect(try VersionRequirement(normal).description == normal)
    }

    @Test(arguments: [
        "", " ", "broken", "1.", "1.2.", "1..2", ".1", "01", "1.02", "1.2.3.4", ">", "^^1", "=>1", "1.*.1", "*.1",
        "*, 1", "1, *", "1,", ",1", "1 2", "1.2-a", "1.2.3-", "1.2.3-01", "1.2.3+", "1.2.3-ä", "1 || 2",
        "18446744073709551616", "\t1", "v1", "~>1", "!=1",
    ])
    func `what cargo can't read is refused`(text: String) {
        #expect(throws: VersionRequirement.Invalid(text: text)) { try VersionRequirement(text) }
    }

    @Test func `a requirement has at most 32 comparators`() throws {
        let parts = Array(repeating: ">=1", count: 32)
        #expect(try VersionRequirement(parts.joined(separator: ",")).comparators.count == 32)
        #expect(throws: VersionRequirement.Invalid.self) {
            try VersionRequirement((parts + [">=1"]).joined(separator: ","))
        }
    }

    @Test func `only a lone star is a wildcard`() throws {
        #expect(try VersionRequirement("*").isWildcard)
        #expect(try !VersionRequirement("1.*").isWildcard)
    }

    @Test(arguments: [
        ("1.2", "1.2.0 1.9.9", "1.1.9 2.0.0 1.3.0-a"), ("0.2.3", "0.2.3 0.2.9", "0.2.2 0.3.0"),
        ("0.0.3", "0.0.3", "0.0.2 0.0.4"), ("0.0", "0.0.0 0.0.9", "0.1.0"), ("0", "0.0.1 0.9.9", "1.0.0"),
        ("~1.2.3", "1.2.3 1.2.9", "1.2.2 1.3.0"), ("~1.2", "1.2.0 1.2.9", "1.3.0"), ("~1", "1.0.0 1.9.9", "2.0.0"),
        ("=1.2", "1.2.0 1.2.9", "1.3.0"), ("=1.2.3", "1.2.3 1.2.3+b", "1.2.4 1.2.3-a"), (">1", "2.0.0", "1.9.9"),
        (">1.2", "1.3.0 2.0.0", "1.2.9"), (">=1.2.3, <2", "1.2.3 1.9.9", "1.2.2 2.0.0 2.0.0-a"),
        ("<=1.2", "1.2.9 0.1.0", "1.3.0"), ("<1.2.3", "1.2.2 0.9.0", "1.2.3 1.2.3-a"),
        ("*", "0.0.0 9.9.9", "1.0.0-a"), ("1.2.*", "1.2.0 1.2.9", "1.3.0"),
        ("1.0.0-beta.2", "1.0.0-beta.2 1.0.0-rc 1.0.0 1.1.0", "1.0.0-beta.1 1.0.1-beta.3"),
        (">1.0.0-a, <1.0.0", "1.0.0-b", "1.0.0-a 1.0.0 0.9.9"), ("<=1.0.0-b", "1.0.0-a 1.0.0-b 0.9.0", "1.0.0-c 1.0.0"),
        ("~1.0.0-b", "1.0.0-b 1.0.0-c 1.0.4", "1.0.0-a 1.1.0"),
    ])
    func `a requirement accepts what cargo accepts`(text: String, accepted: String, refused: String) throws {
        let requirement = try VersionRequirement(text)
        for version in accepted.split(separator: " ") { #expect(requirement.matches(try Version(String(version)))) }
        for version in refused.split(separator: " ") { #expect(!requirement.matches(try Version(String(version)))) }
    }
}
