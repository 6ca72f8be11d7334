import Facts
import Foundation
import PolicyRules
import Testing

struct RuleBookTests {
    private static let file = """
        format = 1
        ask = "#rust-policy"

        [[rule]]
        name = "ours"
        decision = "allow"
        reason = "we wrote it"
        for.sources = ["published"]

        [[rule]]
        name = "unmaintained"
        decision = "flag"
        reason = "nobody looks after it"
        when.advisory = ["unmaintained"]

        [[rule]]
        name = "cooldown"
        decision = "quarantine"
        reason = "it is too new"
        for.repositories = ["main"]
        when.younger-than = "3d"

        [[rule]]
        name = "critical"
        decision = "block"
        reason = "it has a critical hole"
        when.severity = "critical"

        [[exception]]
        crate = "openssl"
        versions = "<1.3"
        rules = ["critical"]
        reason = "patched in our build"
        owner = "alice"
        expires = 2026-03-01
        """

    private static func judge(_ facts: VersionFacts, at now: String = "2026-02-01") throws -> Judgement {
        let book = RuleBook(try PolicyFile(parsing: file))
        return book.judge(facts, at: try #require(UnixTime.seconds(now)))
    }

    private static let upstream = VersionFacts.Origin(.upstream, upstream: "crates-io")

    @Test func `the first rule that holds decides, and later ones are not asked`() throws {
        let judgement = try Self.judge(.made(advisories: [.critical]))
        #expect(judgement.decision == .allow)
        #expect(judgement.reasons.map(\.rule) == ["ours"])
    }

    @Test func `flags are noted on the way to what decides`() throws {
        let unmaintained = AdvisoryMatch.made("RUSTSEC-2026-0009", .unmaintained)
        let flagged = try Self.judge(.made(origin: Self.upstream, advisories: [unmaintained]))
        #expect(flagged.decision == .flag)
        let blocked = try Self.judge(.made(origin: Self.upstream, advisories: [unmaintained, .critical]))
        #expect(blocked.decision == .block)
        #expect(blocked.reasons.map(\.rule) == ["unmaintained", "critical"])
        #expect(blocked.decisive?.rule == "critical")
    }

    @Test func `without a rule that holds a version is usable`() throws {
        let judgement = try Self.judge(.made(origin: Self.upstream))
        #expect(judgement == Judgement(.allow))
    }

    @Test func `a quarantine of time says when it ends`() throws {
        let judgement = try Self.judge(.made(origin: Self.upstream), at: "2026-01-02")
        #expect(judgement.decision == .quarantine)
        #expect(judgement.decideAgainAt == UnixTime.seconds("2026-01-04"))
        #expect(try Self.judge(.made(origin: Self.upstream), at: "2026-01-04").decision == .allow)
    }

    @Test func `a rule for one repository leaves others alone`() throws {
        let judgement = try Self.judge(.made(repository: "other", origin: Self.upstream), at: "2026-01-02")
        #expect(judgement.decision == .allow)
    }

    @Test(arguments: [
        ("openssl", "1.2.3", Decision.allow), ("openssl", "1.3.0-rc.1", .block), ("openssl", "1.2.9-rc.1", .allow),
        ("openssl", "1.3.0", .block), ("openssl-sys", "1.2.3", .block),
    ])
    func `an exception covers what it names and nothing else`(name: String, version: String, decision: Decision) throws
    {
        let judgement = try Self.judge(.made(name, version, origin: Self.upstream, advisories: [.critical]))
        #expect(judgement.decision == decision)
        #expect(judgement.excepted == (decision == .allow ? ["critical"] : []))
    }

    @Test func `an exception ends on its day, and the judgement says so`() throws {
        let facts = VersionFacts.made("openssl", origin: Self.upstream, advisories: [.critical])
        #expect(try Self.judge(facts).decideAgainAt == UnixTime.seconds("2026-03-01"))
        #expect(try Self.judge(facts, at: "2026-03-01").decision == .block)
    }

    @Test func `what an engine elsewhere is sent can be read again`() throws {
        let input = PolicyInput(now: "2026-02-01T00:00:00Z", versions: [.made(), .made(license: nil)])
        let text = try JSONEncoder().encode(input)
        #expect(try JSONDecoder().decode(PolicyInput.self, from: text) == input)
        let keys = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any]).keys.sorted()
        #expect(keys == ["now", "schema", "versions"])
    }
}
