import Facts
import Registry

extension PolicyFile {
    /// Reads the table `when` of a rule, in the order of the keys below: that is the order in which the reasons are said.
    static func conditions(_ value: ManifestValue?, at place: String) throws(Invalid) -> [PolicyCondition] {
        guard let value else { return [] }
        var fields = try PolicyFields(value, at: "\(place), `when`")
        var conditions = try onAdvisories(&fields)
        if let licenses = fields.value("licenses") {
            conditions.append(.licenses(try licenseRules(licenses, at: "\(fields.place), `licenses`")))
        }
        if let age = try fields.read("younger-than", "a time like `12h`, `3d` or `2w`", TimeSpan.seconds) {
            conditions.append(.youngerThan(age))
        }
        let names = "names of crates, or beginnings with a `*`"
        if let patterns = try fields.list("names", names, CratePattern.init) { conditions.append(.names(patterns)) }
        if let patterns = try fields.list("not-listed", names, CratePattern.init) {
            conditions.append(.notListed(patterns))
        }
        if try fields.flag("yanked") { conditions.append(.yanked) }
        if let bytes = try fields.read("larger-than", "a size like `500kB` or `10MB`", ByteCount.bytes) {
            conditions.append(.largerThan(bytes))
        }
        if try fields.flag("build-script") { conditions.append(.buildScript) }
        if try fields.flag("proc-macro") { conditions.append(.procMacro) }
        try fields.finish(
            "`severity`, `score`, `advisory`, `unscored`, `licenses`, `younger-than`, `names`, `not-listed`, `yanked`, "
                + "`larger-than`, `build-script` and `proc-macro`")
        guard !conditions.isEmpty else {
            throw Invalid("\(fields.place): it says nothing; leave it out, or say what must hold")
        }
        return conditions
    }

    private static func onAdvisories(_ fields: inout PolicyFields) throws(Invalid) -> [PolicyCondition] {
        var conditions: [PolicyCondition] = []
        let severities = "`low`, `medium`, `high` or `critical`"
        if let least = try fields.read(
            "severity", severities, { Severity(rawValue: $0).flatMap { $0 == .none ? nil : $0 } })
        {
            conditions.append(.severity(least))
        }
        if let least = fields.value("score") {
            guard let score = score(least) else {
                throw Invalid("\(fields.place): `score` must be a number from 0.1 to 10.0 with one decimal, like 7.0")
            }
            conditions.append(.score(score))
        }
        let kinds = "`vulnerability`, `unmaintained`, `unsound` or `notice`"
        if let kinds = try fields.list("advisory", kinds, AdvisoryKind.init(rawValue:)) {
            conditions.append(.advisory(Set(kinds)))
        }
        if try fields.flag("unscored") { conditions.append(.unscored) }
        return conditions
    }

    private static func score(_ value: ManifestValue) -> Score? {
        let number: Double
        switch value {
        case .float(let value): number = value
        case .integer(let value) where (1...10).contains(value): number = Double(value)
        default: return nil
        }
        guard number >= 0.1, number <= 10, (number * 10).rounded() / 10 == number else { return nil }
        return Score(tenths: Int((number * 10).rounded()))
    }

    private static func licenseRules(_ value: ManifestValue, at place: String) throws(Invalid) -> LicenseRules {
        var fields = try PolicyFields(value, at: place)
        let entries = "licences like `MIT`, or beginnings like `GPL-*`"
        let allow = try fields.list("allow", entries) { try? LicenseEntry($0) }
        let deny = try fields.list("deny", entries) { try? LicenseEntry($0) }
        try fields.finish("`allow` and `deny`")
        guard allow != nil || deny != nil else { throw Invalid("\(place): say `allow`, `deny` or both") }
        return LicenseRules(allow: allow, deny: deny ?? [])
    }
}
