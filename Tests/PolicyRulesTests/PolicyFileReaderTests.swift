import PolicyRules
import Testing

struct PolicyFileReaderTests {
    private static func fault(_ text: String) -> String? {
        do throws(PolicyFile.Invalid) {
            _ = try PolicyFile(parsing: text)
            return nil
        } catch {
            return error.description
        }
    }

    private static func rule(_ lines: String) -> String {
        "format = 1\nask = \"us\"\n[[rule]]\nname = \"r\"\ndecision = \"block\"\nreason = \"no\"\n" + lines
    }

    @Test(arguments: [
        ("", "the file must begin with `format = 1`"),
        ("format = 2\nask = \"us\"", "the file must begin with `format = 1`"),
        ("format = 1", "the file: `ask` is missing"), ("format = 1\nask = \"\"", "`ask` must be one line of text"),
        ("format = 1\nask = \"a\\nb\"", "`ask` must be one line of text"),
        ("format = 1\nask = \"us\"\nrules = []", "the file: there is no key `rules`"),
        ("format = 1\nask = \"us\"\n[rule]\nname = \"r\"", "write each rule under a header of its own, `[[rule]]`"),
        ("format = 1\nask = us", "line 2, column 7"),
    ])
    func `a file that is not one says where and what to write`(text: String, want: String) throws {
        let fault = try #require(Self.fault(text))
        #expect(fault.contains(want), "\(fault)")
    }

    @Test(arguments: [
        ("", "rule 1 (r) would hold back everything"), ("when = {}", "it says nothing"),
        ("when.severty = \"high\"", "there is no key `severty`; there are `severity`"),
        ("when.severity = \"severe\"", "`severity` must be `low`, `medium`, `high` or `critical`"),
        ("when.severity = \"none\"", "`severity` must be"), ("when.score = 11", "`score` must be a number"),
        ("when.score = 7.05", "`score` must be a number"), ("when.score = \"7\"", "`score` must be a number"),
        ("when.advisory = []", "and not an empty one"), ("when.advisory = [\"bad\"]", "`bad` is none"),
        ("when.unscored = false", "can only be `true`"), ("when.licenses = {}", "say `allow`, `deny` or both"),
        ("when.licenses = { allow = [\"MIT OR ISC\"] }", "`MIT OR ISC` is none"),
        ("when.younger-than = \"3 days\"", "`younger-than` must be a time like"),
        ("when.younger-than = \"999w\"", "`younger-than` must be a time like"),
        ("when.younger-than = 3", "`younger-than` must be a time like"),
        ("when.names = [\"a*b\"]", "`a*b` is none"), ("when.larger-than = \"10\"", "`larger-than` must be a size like"),
        ("when.yanked = true\nfor.crates = [\"1\"]", "`for`: `crates` must hold"),
        ("when.yanked = true\nfor.crate = [\"a\"]", "there is no key `crate`; there are `repositories`"),
        ("when.yanked = true\nprio = 1", "rule 1: there is no key `prio`"),
        (
            "when.yanked = true\n[[rule]]\nname = \"r\"\ndecision = \"flag\"\nreason = \"x\"",
            "there is a rule `r` already"
        ),
        (
            "when.yanked = true\n[[rule]]\nname = \"R\"\ndecision = \"flag\"\nreason = \"x\"",
            "must be lower-case letters"
        ),
        (
            "when.yanked = true\n[[rule]]\nname = \"s\"\ndecision = \"deny\"\nreason = \"x\"",
            "`decision` must be `allow`"
        ),
        ("when.yanked = true\n[[rule]]\nname = \"s\"\ndecision = \"flag\"", "rule 2: `reason` is missing"),
    ])
    func `a rule that can't be meant is refused with its place`(lines: String, want: String) throws {
        let fault = try #require(Self.fault(Self.rule(lines)))
        #expect(fault.contains(want), "\(fault)")
    }

    @Test(arguments: [
        ("rules = [\"x\"]", "`x` is none"), ("rules = [\"r\"]", "exception 1: `reason` is missing"),
        ("rules = [\"r\"]\nreason = \"x\"", "exception 1: `owner` is missing"),
        ("rules = [\"r\"]\nreason = \"x\"\nowner = \"a\"", "exception 1: `expires` is missing"),
        ("rules = [\"r\"]\nreason = \"x\"\nowner = \"a\"\nexpires = \"2026-02-30\"", "`expires` must be a day"),
        ("rules = [\"r\"]\nreason = \"x\"\nowner = \"a\"\nexpires = \"never\"", "`expires` must be a day"),
        ("versions = \"new\"\nrules = [\"r\"]", "`versions` must be a requirement"),
    ])
    func `an exception needs a reason, an owner and an end`(lines: String, want: String) throws {
        let text = Self.rule("when.yanked = true\n[[exception]]\ncrate = \"foo\"\n") + lines
        let fault = try #require(Self.fault(text))
        #expect(fault.contains(want), "\(fault)")
    }

    @Test func `a whole file is read`() throws {
        let text = Self.rule(
            """
            for = { repositories = ["main"], crates = ["acme-*"], sources = ["crates-io"] }
            when = { severity = "high", licenses = { allow = ["MIT"], deny = ["GPL-*"] }, younger-than = "2w", larger-than = "10MB" }
            [[exception]]
            crate = "foo"
            rules = ["r"]
            reason = "x"
            owner = "a"
            expires = "2027-01-31"
            """)
        let file = try PolicyFile(parsing: text)
        #expect(file.rules.count == 1 && file.rules[0].conditions.count == 4)
        #expect(file.exceptions.map(\.expires) == [1_801_353_600])
    }

    @Test(
        arguments: [
            ("1970-01-01", 0), ("2000-02-29T23:59:59Z", 951_868_799), ("2026-11-25T10:00:00Z", 1_795_600_800),
            ("2026-02-30", nil),
            ("1969-12-31", -86_400), ("2026-1-1", nil),
        ] as [(String, Int?)])
    func `times become seconds`(text: String, seconds: Int?) {
        #expect(UnixTime.seconds(text) == seconds)
    }
}
