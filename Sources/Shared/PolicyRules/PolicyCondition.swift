package import Facts
package import Registry

/// One thing that must be so for a rule to hold.
///
/// | condition      | holds if                                                                                     |
/// |----------------|----------------------------------------------------------------------------------------------|
/// | `severity`     | an advisory of kind vulnerability is at least so severe                                      |
/// | `score`        | the same by its number                                                                       |
/// | `advisory`     | there is an advisory of one of these kinds                                                   |
/// | `unscored`     | a vulnerability has no score that can be read                                                |
/// | `licenses`     | no choice that the expression leaves passes the lists; also without an expression           |
/// | `younger-than` | it was published less than so long ago; also without a time of publication (fails closed)    |
/// | `names`        | the crate's name fits a pattern                                                              |
/// | `not-listed`   | the crate's name fits none: what remains is an allow list                                    |
/// | `yanked`       | it is yanked, by whomever                                                                    |
/// | `larger-than`  | its file has more bytes; also if nobody knows how many                                       |
/// | `build-script` | it runs code when it is built; also if nobody knows                                          |
/// | `proc-macro`   | the same for procedural macros                                                               |
///
/// Withdrawn advisories never count.
package enum PolicyCondition: Hashable, Sendable {
    case severity(Severity)
    case score(Score)
    case advisory(Set<AdvisoryKind>)
    case unscored
    case licenses(LicenseRules)
    /// Seconds.
    case youngerThan(Int)
    case names([CratePattern])
    case notListed([CratePattern])
    case yanked
    case largerThan(Int)
    case buildScript
    case procMacro

    /// A condition that holds: what makes it so, and until when the clock alone leaves it so.
    struct Holding: Hashable {
        let because: String
        var until: Int?
        /// It holds only because nobody knows what the version's file would tell.
        var isGuess = false
    }

    /// - Parameter now: seconds since 1970.
    /// - Returns: nil if the condition does not hold.
    func holds(for facts: VersionFacts, _ crate: CrateName?, at now: Int) -> Holding? {
        switch self {
        case .severity(let least):
            return vulnerability(in: facts) { $0.severity.map { $0 >= least } ?? false }
        case .score(let least):
            return vulnerability(in: facts) { $0.score.map { $0 >= least } ?? false }
        case .advisory(let kinds):
            return Self.standing(facts).first { kinds.contains($0.kind) }.map {
                Holding(because: "\($0.id), \($0.kind.rawValue)")
            }
        case .unscored:
            return vulnerability(in: facts, where: \.isUnscored)
        case .licenses(let rules):
            return Self.objection(of: rules, to: facts.license).map {
                Holding(because: $0, isGuess: facts.license.state == .unknown)
            }
        case .youngerThan(let seconds):
            return Self.tooYoung(facts, seconds, now)
        case .names(let patterns):
            return patterns.first { pattern in crate.map(pattern.covers) ?? false }.map {
                Holding(because: "its name fits `\($0)`")
            }
        case .notListed(let patterns):
            let isListed = crate.map { crate in patterns.contains { $0.covers(crate) } } ?? false
            return isListed ? nil : Holding(because: "`\(facts.name)` is not listed")
        case .yanked:
            return facts.yank.isYanked ? Holding(because: "it is yanked") : nil
        case .largerThan(let most):
            guard let bytes = facts.bytes else { return Holding(because: "its size is not known", isGuess: true) }
            return bytes > most ? Holding(because: "it has \(bytes) bytes") : nil
        case .buildScript:
            return Self.unlessFalse(facts.hasBuildScript, "a build script")
        case .procMacro:
            return Self.unlessFalse(facts.isProcMacro, "a procedural macro")
        }
    }

    private static func standing(_ facts: VersionFacts) -> [AdvisoryMatch] {
        facts.advisories.filter { !$0.isWithdrawn }
    }

    /// The worst one that fits.
    private func vulnerability(in facts: VersionFacts, where fits: (AdvisoryMatch) -> Bool) -> Holding? {
        let found = Self.standing(facts).filter { $0.kind == .vulnerability && fits($0) }
        guard let worst = found.max(by: { ($0.score?.tenths ?? 0) < ($1.score?.tenths ?? 0) }) else { return nil }
        guard let score = worst.score else { return Holding(because: "\(worst.id), unscored") }
        return Holding(because: "\(worst.id) is \(score.severity.rawValue) (\(score))")
    }

    private static func objection(of rules: LicenseRules, to license: LicenseFacts) -> String? {
        guard let tree = license.tree else {
            switch license.state {
            case .file: return "its licence is a file and no expression"
            case .none: return "it names no licence"
            case .unknown: return "its licence is not known yet"
            case .unreadable, .expression: return "its licence `\(license.text ?? "")` can't be read"
            }
        }
        guard case .refused(let failures) = rules.verdict(on: tree) else { return nil }
        return "licence " + failures.prefix(5).map { "`\($0.term)` \($0.reason.rawValue)" }.joined(separator: ", ")
    }

    private static func tooYoung(_ facts: VersionFacts, _ seconds: Int, _ now: Int) -> Holding? {
        guard let text = facts.publishedAt, let published = UnixTime.seconds(text) else {
            return Holding(because: "nobody says when it was published")
        }
        guard published + seconds > now else { return nil }
        return Holding(because: "it was published at \(text)", until: published + seconds)
    }

    private static func unlessFalse(_ fact: Bool?, _ what: String) -> Holding? {
        switch fact {
        case false: nil
        case true: Holding(because: "it has \(what)")
        case nil: Holding(because: "nobody knows whether it has \(what)", isGuess: true)
        }
    }
}
