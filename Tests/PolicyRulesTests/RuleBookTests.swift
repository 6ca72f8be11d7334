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
        let input = PolicyInput(
            now: "2026-02-01T00:00:00Z", versions: [.made(), .made(license: nil)],
            releases: [PolicyRelease(identity: "foo", version: "1.2.3", rule: "new")])
        let text = try JSONEncoder().encode(input)
        #expect(try JSONDecoder().decode(PolicyInput.self, from: text) == input)
        let keys = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any]).keys.sorted()
        #expect(keys == ["now", "releases", "schema", "versions"])
    }
}

/// What nobody knows yet, what was let go, and yanks that are too young.
struct RuleBookUnknownTests {
    private static func judge(
        _ facts: VersionFacts, _ rule: String, released: Set<PolicyRelease> = [], at now: String = "2026-02-01"
    ) throws -> Judgement {
        let file = try PolicyFile(parsing: "format = 1\nask = \"us\"\n" + rule)
        return RuleBook(file).judge(facts, released: released, at: try #require(UnixTime.seconds(now)))
    }

    @Test func `what only the file tells speaks against a version, and says that the file will tell`() throws {
        let rule = """
            [[rule]]
            name = "macros"
            decision = "block"
            reason = "no code at build time"
            when.proc-macro = true
            """
        let unknown = try Self.judge(.made(isProcMacro: nil), rule)
        #expect(unknown.decision == .block && unknown.awaitsFile)
        let known = try Self.judge(.made(isProcMacro: true), rule)
        #expect(known.decision == .block && !known.awaitsFile)
    }

    @Test func `what nobody knows never speaks for a version`() throws {
        let rules = """
            [[rule]]
            name = "macros"
            decision = "allow"
            reason = "looked at"
            when.proc-macro = true

            [[rule]]
            name = "rest"
            decision = "block"
            reason = "everything else"
            for.crates = ["*"]
            """
        #expect(try Self.judge(.made(isProcMacro: nil), rules).decision == .block)
        #expect(try Self.judge(.made(isProcMacro: true), rules).decision == .allow)
    }

    @Test func `a release takes one quarantine away from one version`() throws {
        let rule = { (decision: String) in
            "[[rule]]\nname = \"new\"\ndecision = \"\(decision)\"\nreason = \"too new\"\nwhen.younger-than = \"60d\""
        }
        let facts = VersionFacts.made("foo", "1.0.0+build")
        let release = PolicyRelease(identity: "foo", version: "1.0.0", rule: "new")
        let other = PolicyRelease(identity: "foo", version: "1.0.0", rule: "old")
        let now = "2026-01-10"
        #expect(try Self.judge(facts, rule("quarantine"), at: now).decision == .quarantine)
        #expect(try Self.judge(facts, rule("quarantine"), released: [other], at: now).decision == .quarantine)
        let released = try Self.judge(facts, rule("quarantine"), released: [release], at: now)
        #expect(released.decision == .allow && released.excepted == ["new"])
        #expect(try Self.judge(facts, rule("block"), released: [release], at: now).decision == .block)
    }

    @Test func `an upstream's yank waits as long as the file says; an owner's does not`() throws {
        let yanked = { (by: VersionFacts.Yank.By, since: String?) in
            VersionFacts.made(yank: VersionFacts.Yank(isYanked: true, by: by, since: since))
        }
        let head = "yank-cooldown = \"3d\""
        let young = try Self.judge(yanked(.upstream, "2026-01-31T00:00:00Z"), head)
        #expect(young.holdsYank && young.decision == .allow)
        #expect(young.decideAgainAt == UnixTime.seconds("2026-02-03"))
        #expect(try !Self.judge(yanked(.upstream, "2026-01-29T00:00:00Z"), head).holdsYank)
        #expect(try !Self.judge(yanked(.owner, "2026-01-31T00:00:00Z"), head).holdsYank)
        // It was so when we first saw it: nobody can have been steered.
        #expect(try !Self.judge(yanked(.upstream, nil), head).holdsYank)
    }
}
