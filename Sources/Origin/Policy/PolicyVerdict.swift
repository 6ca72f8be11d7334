import Facts
import FoundationEssentials
import PolicyRules

/// A judgement as it is kept: only what is more than just `allow`.
struct PolicyVerdict: Hashable, Sendable {
    /// Reasons and exceptions, as the table keeps them.
    struct Grounds: Hashable, Codable, Sendable {
        var reasons: [PolicyReason] = []
        var excepted: [String] = []
    }

    static let refusalBytesMax = 500

    let decision: Decision
    let rule: String?
    let refusal: String?
    let awaitsFile: Bool
    let holdsYank: Bool
    let grounds: Grounds
    /// Seconds since 1970.
    let againAt: Int?

    static let allowed = PolicyVerdict(
        decision: .allow, rule: nil, refusal: nil, awaitsFile: false, holdsYank: false, grounds: Grounds(), againAt: nil
    )

    init(_ judgement: Judgement, on facts: VersionFacts, ask: String) {
        decision = judgement.decision
        rule = judgement.decisive?.rule
        // Once the file is here it has told what it can.
        awaitsFile = judgement.awaitsFile && facts.bytes == nil
        holdsYank = judgement.holdsYank
        grounds = Grounds(reasons: judgement.reasons, excepted: judgement.excepted)
        againAt = judgement.decideAgainAt
        if let reason = judgement.decisive, judgement.decision.isWithheld, !awaitsFile {
            refusal = Self.sentence(facts, reason, ask: ask)
        } else {
            refusal = nil
        }
    }

    init(
        decision: Decision, rule: String?, refusal: String?, awaitsFile: Bool, holdsYank: Bool, grounds: Grounds,
        againAt: Int?
    ) {
        self.decision = decision
        self.rule = rule
        self.refusal = refusal
        self.awaitsFile = awaitsFile
        self.holdsYank = holdsYank
        self.grounds = grounds
        self.againAt = againAt
    }

    /// What there is to keep of it.
    var isPlain: Bool { self == .allowed }

    /// What the index says of a version, whatever its line says; nil: as the line says.
    var yank: Bool? { refusal != nil ? true : holdsYank ? false : nil }

    /// What cargo prints: the rule, its reason, what of the version it is about, and whom to ask.
    private static func sentence(_ facts: VersionFacts, _ reason: PolicyReason, ask: String) -> String {
        let verb = reason.decision == .block ? "blocked" : "held back"
        let head =
            "`\(facts.name)` \(facts.version) is \(verb) by the policy of repository `\(facts.repository)`, rule "
            + "`\(reason.rule)`: \(reason.reason)"
        let tail = ". Ask \(ask)"
        let room = max(0, refusalBytesMax - head.utf8.count - tail.utf8.count - 3)
        let because = reason.because.isEmpty ? "" : " (\(reason.because.cut(to: room)))"
        return (head + because + tail).cut(to: refusalBytesMax)
    }
}

extension String {
    /// At most so many bytes, whole characters.
    fileprivate func cut(to bytes: Int) -> String {
        var text = self
        while text.utf8.count > bytes { text.removeLast() }
        return text
    }
}
