import CrateFile
package import Facts
import Registry

/// Cases beside the rules: versions that are made up, and what the rules must say of them.
package struct PolicyCase: Hashable, Sendable {
    package static let casesMax = 2_000

    package let name: String
    package let facts: VersionFacts
    /// Seconds since 1970.
    package let now: Int
    package let decision: Decision
    /// The rule that must decide; nil: whichever.
    package let rule: String?

    /// How the rules fall short of the case; nil if they don't.
    package func objection(to judgement: Judgement) -> String? {
        let decisive = judgement.decisive
        let said = judgement.decision.rawValue + (decisive.map { ", by `\($0.rule)`: \($0.because)" } ?? "")
        guard judgement.decision == decision else { return "expected \(decision.rawValue), the rules say \(said)" }
        guard let rule, decisive?.rule != rule else { return nil }
        return "expected rule `\(rule)` to decide, the rules say \(said)"
    }

    /// Reads a file of `[[case]]` tables. What a case does not say of its version is harmless: published long ago, licence
    /// MIT, small, no code that runs at build time, no advisory.
    ///
    /// - Throws: the first fault, with its place.
    package static func read(_ text: String) throws(PolicyFile.Invalid) -> [PolicyCase] {
        let root: ManifestValue
        do {
            root = try ManifestReader.read(text)
        } catch {
            throw PolicyFile.Invalid("line \(error.line), column \(error.column): \(error.reason)")
        }
        var fields = try PolicyFields(root, at: "the file")
        guard let tables = fields.value("case")?.array, !tables.isEmpty, tables.count <= casesMax else {
            throw PolicyFile.Invalid("there must be 1 to \(casesMax) cases, each under a header of its own, `[[case]]`")
        }
        try fields.finish("`[[case]]`")
        var cases: [PolicyCase] = []
        for (number, table) in tables.enumerated() { cases.append(try read(table, number + 1)) }
        return cases
    }

    private static func read(_ value: ManifestValue, _ number: Int) throws(PolicyFile.Invalid) -> PolicyCase {
        var fields = try PolicyFields(value, at: "case \(number)")
        let name = try fields.needed("name")
        let time = "a time like `2026-11-25` or `2026-11-25T10:00:00Z`"
        let now = try fields.time("now", time)
        guard
            let decision = try fields.read(
                "expect", "`allow`, `flag`, `quarantine` or `block`", Decision.init(rawValue:))
        else { throw PolicyFile.Invalid("case \(number): `expect` is missing") }
        let rule = try fields.text("rule")
        guard let version = fields.value("version") else {
            throw PolicyFile.Invalid(
                "case \(number): `version` is missing, like { name = \"foo\", version = \"1.0.0\" }")
        }
        try fields.finish("`name`, `now`, `expect`, `rule` and `version`")
        var facts = try PolicyFields(version, at: "case \(number), `version`")
        return PolicyCase(
            name: name, facts: try Self.facts(&facts), now: now ?? farFuture, decision: decision, rule: rule)
    }

    /// Without a time of its own a case lies so late that nothing is young any more.
    private static let farFuture = 4_102_444_800

    private static func facts(_ fields: inout PolicyFields) throws(PolicyFile.Invalid) -> VersionFacts {
        guard let crate = try fields.read("name", "the name of a crate", { try? CrateName($0) }),
            let version = try fields.read("version", "a version like `1.2.3`", { try? Version($0) })
        else { throw PolicyFile.Invalid("\(fields.place): `name` and `version` must be there") }
        let repository = try fields.text("repository") ?? "main"
        let upstream = try fields.text("upstream")
        let published = try fields.time("published", "a time like `2026-11-25`")
        let isUndated = try fields.flag("undated")
        let license = try fields.text("license")
        let hasFile = try fields.flag("license-file")
        let facts = VersionFacts(
            repository: repository, name: crate.spelling, identity: crate.identity, version: version.description,
            isPrerelease: !version.prerelease.isEmpty, checksum: String(repeating: "0", count: 64),
            bytes: try fields.read("size", "a size like `500kB`", ByteCount.bytes) ?? 1_000,
            origin: upstream.map { VersionFacts.Origin(.upstream, upstream: $0) } ?? VersionFacts.Origin(.published),
            publishedAt: isUndated ? nil : Pubtime(secondsSince1970: Int64(published ?? 946_684_800))?.description,
            firstSeenAt: "2000-01-01T00:00:00Z", yank: VersionFacts.Yank(isYanked: try fields.flag("yanked")),
            license: LicenseFacts(text: hasFile ? license : license ?? "MIT", hasFile: hasFile),
            hasBuildScript: try fields.flag("build-script"), isProcMacro: try fields.flag("proc-macro"), links: nil,
            dependencies: DependencyCounts(normal: 0, build: 0, dev: 0), advisories: try advisories(&fields),
            sources: [:])
        try fields.finish(
            "`name`, `version`, `repository`, `upstream`, `published`, `undated`, `license`, `license-file`, `size`, "
                + "`yanked`, `build-script`, `proc-macro` and `advisories`")
        return facts
    }

    private static func advisories(_ fields: inout PolicyFields) throws(PolicyFile.Invalid) -> [AdvisoryMatch] {
        guard let value = fields.value("advisories") else { return [] }
        guard let tables = value.array else { throw PolicyFile.Invalid("\(fields.place): `advisories` must be a list") }
        var made: [AdvisoryMatch] = []
        for table in tables {
            var advisory = try PolicyFields(table, at: "\(fields.place), `advisories`")
            let id = try advisory.needed("id")
            let kinds = "`vulnerability`, `unmaintained`, `unsound` or `notice`"
            let kind = try advisory.read("kind", kinds, AdvisoryKind.init(rawValue:)) ?? .vulnerability
            let vector = try advisory.text("vector")
            let isWithdrawn = try advisory.flag("withdrawn")
            try advisory.finish("`id`, `kind`, `vector` and `withdrawn`")
            made.append(
                AdvisoryMatch(
                    id: id, kind: kind, title: id, published: "2000-01-01", withdrawn: isWithdrawn ? "2000-01-02" : nil,
                    vector: vector))
        }
        return made
    }
}
