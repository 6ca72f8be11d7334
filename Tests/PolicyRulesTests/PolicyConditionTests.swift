import Facts
import PolicyRules
import Testing

struct PolicyConditionTests {
    /// What a rule with this `when` says of a version: nil if it does not hold.
    private static func because(_ when: String, _ facts: VersionFacts, at now: String = "2026-06-01") throws -> String?
    {
        let file = try PolicyFile(
            parsing: """
                format = 1
                ask = "us"
                [[rule]]
                name = "r"
                decision = "block"
                reason = "no"
                \(when)
                """)
        let now = try #require(UnixTime.seconds(now))
        return RuleBook(file).judge(facts, at: now).decisive?.because
    }

    @Test(
        arguments: [
            ("severity = \"critical\"", [AdvisoryMatch.critical], "RUSTSEC-2026-0001 is critical (9.8)"),
            ("severity = \"critical\"", [.medium], nil),
            ("severity = \"medium\"", [.medium, .critical], "RUSTSEC-2026-0001 is critical (9.8)"),
            ("severity = \"low\"", [.made(vector: nil)], nil),
            ("severity = \"low\"", [.made(vector: "CVSS:3.1/nonsense")], nil),
            ("score = 9.8", [.critical], "RUSTSEC-2026-0001 is critical (9.8)"),
            ("score = 9.9", [.critical], nil),
            ("unscored = true", [.made()], "RUSTSEC-2026-0001, unscored"),
            ("unscored = true", [.critical], nil),
            ("unscored = true", [.made("RUSTSEC-2026-0003", .unsound)], nil),
            (
                "advisory = [\"unsound\", \"notice\"]", [.made("RUSTSEC-2026-0003", .unsound)],
                "RUSTSEC-2026-0003, unsound"
            ),
            ("advisory = [\"unmaintained\"]", [.made("RUSTSEC-2026-0003", .unsound)], nil),
            ("advisory = [\"vulnerability\"]", [.made(withdrawn: "2026-02-01")], nil),
        ] as [(String, [AdvisoryMatch], String?)])
    func `advisories count by kind and score, withdrawn ones never`(
        when: String, advisories: [AdvisoryMatch], because: String?
    ) throws {
        #expect(try Self.because("when.\(when)", .made(advisories: advisories)) == because)
    }

    @Test(
        arguments: [
            ("MIT", "allow = [\"MIT\"]", nil),
            ("MIT OR GPL-3.0-only", "deny = [\"GPL-*\"]", nil),
            ("MIT AND GPL-3.0-only", "deny = [\"GPL-*\"]", "licence `GPL-3.0-only` denied"),
            ("ISC", "allow = [\"MIT\"]", "licence `ISC` not-allowed"),
            (nil, "allow = [\"MIT\"]", "it names no licence"),
            ("MIT AND", "allow = [\"MIT\"]", "its licence `MIT AND` can't be read"),
        ] as [(String?, String, String?)])
    func `a licence must leave a choice that passes`(license: String?, lists: String, because: String?) throws {
        #expect(try Self.because("when.licenses = { \(lists) }", .made(license: license)) == because)
    }

    @Test func `a licence file alone passes no list`() throws {
        let facts = VersionFacts.made(license: nil, hasLicenseFile: true)
        #expect(
            try Self.because("when.licenses = { deny = [\"GPL-*\"] }", facts)
                == "its licence is a file and no expression")
    }

    @Test(
        arguments: [
            ("2026-01-03", "it was published at 2026-01-01T00:00:00Z"),
            ("2026-01-03T23:59:59Z", "it was published at 2026-01-01T00:00:00Z"),
            ("2026-01-04", nil), ("2027-01-01", nil),
        ] as [(String, String?)])
    func `a release is too young until its time has passed`(now: String, because: String?) throws {
        #expect(try Self.because("when.younger-than = \"3d\"", .made(), at: now) == because)
    }

    @Test func `a release without a time of publication is always too young`() throws {
        let because = try Self.because("when.younger-than = \"3d\"", .made(publishedAt: nil), at: "2099-01-01")
        #expect(because == "nobody says when it was published")
    }

    @Test(
        arguments: [
            ("names = [\"acme-*\"]", "acme_core", "its name fits `acme_*`"), ("names = [\"acme-*\"]", "other", nil),
            ("not-listed = [\"serde\", \"tokio-*\"]", "tokio-util", nil),
            ("not-listed = [\"serde\"]", "serde_json", "`serde_json` is not listed"),
        ] as [(String, String, String?)])
    func `names are compared however they are spelled`(when: String, name: String, because: String?) throws {
        #expect(try Self.because("when.\(when)", .made(name)) == because)
    }

    @Test(
        arguments: [
            ("yanked = true", VersionFacts.made(yank: .init(isYanked: true)), "it is yanked"),
            ("yanked = true", .made(), nil),
            ("larger-than = \"1kB\"", .made(bytes: 1_001), "it has 1001 bytes"),
            ("larger-than = \"1kB\"", .made(bytes: 1_000), nil),
            ("larger-than = \"1kB\"", .made(bytes: nil), "its size is not known"),
            ("build-script = true", .made(hasBuildScript: true), "it has a build script"),
            ("build-script = true", .made(), nil),
            ("build-script = true", .made(hasBuildScript: nil), "nobody knows whether it has a build script"),
            ("proc-macro = true", .made(isProcMacro: true), "it has a procedural macro"),
            ("proc-macro = true", .made(), nil),
        ] as [(String, VersionFacts, String?)])
    func `what nobody knows counts against a version`(when: String, facts: VersionFacts, because: String?) throws {
        #expect(try Self.because("when.\(when)", facts) == because)
    }

    @Test func `all conditions of a rule must hold, and all are named`() throws {
        let when = "when.severity = \"low\"\nwhen.build-script = true"
        #expect(try Self.because(when, .made(advisories: [.critical])) == nil)
        let because = try Self.because(when, .made(hasBuildScript: true, advisories: [.critical]))
        #expect(because == "RUSTSEC-2026-0001 is critical (9.8); it has a build script")
    }
}
