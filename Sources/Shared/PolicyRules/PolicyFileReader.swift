import CrateFile
import Facts
package import Registry

extension PolicyFile {
    /// What is wrong with a policy file, and where.
    package struct Invalid: Error, Hashable, CustomStringConvertible {
        package let description: String

        init(_ description: String) { self.description = description }
    }

    /// Reads a policy file. Strict: what it does not know it refuses, because a rule that is overlooked protects nobody.
    ///
    /// - Throws: the first fault, with its place.
    package init(parsing text: String) throws(Invalid) {
        let root: ManifestValue
        do {
            root = try ManifestReader.read(text)
        } catch {
            throw Invalid("line \(error.line), column \(error.column): \(error.reason)")
        }
        var fields = try PolicyFields(root, at: "the file")
        guard case .integer(Int64(Self.format)) = fields.value("format") else {
            throw Invalid(
                "the file must begin with `format = \(Self.format)`: rules of another format could mean other things")
        }
        let ask = try fields.needed("ask")
        let yankCooldown = try fields.read("yank-cooldown", "a length of time like `3d`", TimeSpan.seconds)
        let rules = try Self.tables("rule", in: &fields, atMost: Self.rulesMax)
        let exceptions = try Self.tables("exception", in: &fields, atMost: Self.exceptionsMax)
        try fields.finish("`format`, `ask`, `yank-cooldown`, `[[rule]]` and `[[exception]]`")
        var made: [PolicyRule] = []
        for (number, rule) in rules.enumerated() {
            let rule = try Self.rule(rule, number + 1)
            guard !made.contains(where: { $0.name == rule.name }) else {
                throw Invalid("rule \(number + 1): there is a rule `\(rule.name)` already")
            }
            made.append(rule)
        }
        var granted: [PolicyException] = []
        for (number, exception) in exceptions.enumerated() {
            granted.append(try Self.exception(exception, number + 1, rules: Set(made.map(\.name))))
        }
        self.init(ask: ask, rules: made, exceptions: granted, yankCooldown: yankCooldown)
    }

    private static func tables(
        _ key: String, in fields: inout PolicyFields, atMost most: Int
    ) throws(Invalid) -> [ManifestValue] {
        guard let value = fields.value(key) else { return [] }
        guard let tables = value.array else {
            throw Invalid("write each \(key) under a header of its own, `[[\(key)]]`")
        }
        guard tables.count <= most else {
            throw Invalid("there are \(tables.count) of `[[\(key)]]`, at most \(most) can be")
        }
        return tables
    }

    private static func rule(_ value: ManifestValue, _ number: Int) throws(Invalid) -> PolicyRule {
        var fields = try PolicyFields(value, at: "rule \(number)")
        let name = try fields.needed("name", bytesMax: 60)
        guard name.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }) else {
            throw Invalid("rule \(number): `name` must be lower-case letters, digits and `-`, like `no-gpl`")
        }
        let place = "rule \(number) (\(name))"
        guard
            let decision = try fields.read(
                "decision", "`allow`, `flag`, `quarantine` or `block`", Decision.init(rawValue:))
        else { throw Invalid("\(place): `decision` is missing") }
        let reason = try fields.needed("reason")
        let (repositories, crates, sources) = try scope(fields.value("for"), at: place)
        let conditions = try conditions(fields.value("when"), at: place)
        try fields.finish("`name`, `decision`, `reason`, `for` and `when`")
        guard !conditions.isEmpty || !crates.isEmpty || !sources.isEmpty || decision == .allow || decision == .flag
        else {
            throw Invalid("\(place) would hold back everything: say `when`, or `for` which crates or sources")
        }
        return PolicyRule(
            name: name, decision: decision, reason: reason, repositories: repositories, crates: crates,
            sources: sources,
            conditions: conditions)
    }

    private static func scope(
        _ value: ManifestValue?, at place: String
    ) throws(Invalid) -> (repositories: [String], crates: [CratePattern], sources: [String]) {
        guard let value else { return ([], [], []) }
        var fields = try PolicyFields(value, at: "\(place), `for`")
        let repositories = try fields.list("repositories", "names of repositories") {
            try? RepositoryName($0).description
        }
        let crates = try fields.list("crates", "names of crates, or beginnings with a `*`", CratePattern.init)
        let sources = try fields.list("sources", "`published`, `imported`, `upstream` or names of upstreams") {
            $0.isEmpty || $0.utf8.count > 60 ? nil : $0
        }
        try fields.finish("`repositories`, `crates` and `sources`")
        return (repositories ?? [], crates ?? [], sources ?? [])
    }

    private static func exception(
        _ value: ManifestValue, _ number: Int, rules: Set<String>
    ) throws(Invalid) -> PolicyException {
        var fields = try PolicyFields(value, at: "exception \(number)")
        guard let crate = try fields.read("crate", "the name of a crate, or a beginning with a `*`", CratePattern.init)
        else { throw Invalid("exception \(number): `crate` is missing") }
        let versions = try fields.read("versions", "a requirement like `>=1.2, <1.4`") { try? VersionRequirement($0) }
        guard let names = try fields.list("rules", "names of rules", { rules.contains($0) ? $0 : nil }) else {
            throw Invalid("exception \(number): `rules` is missing")
        }
        let reason = try fields.needed("reason")
        let owner = try fields.needed("owner")
        guard let end = try fields.time("expires", "a day like 2027-01-31; the exception ends when it begins") else {
            throw Invalid("exception \(number): `expires` is missing")
        }
        try fields.finish("`crate`, `versions`, `rules`, `reason`, `owner` and `expires`")
        return PolicyException(
            crate: crate, versions: versions, rules: names, reason: reason, owner: owner, expires: end)
    }
}
