/// What a CVSS 4.0 vector says in the end: a modified metric before its base metric, the worst where nothing is said.
struct CVSS4Metrics {
    private let values: [String: Character]

    init(_ values: [String: Character]) { self.values = values }

    /// True if nothing at all is harmed.
    var isHarmless: Bool { ["VC", "VI", "VA", "SC", "SI", "SA"].allSatisfy { self[$0] == "N" } }

    subscript(metric: String) -> Character {
        if let modified = values["M" + metric], modified != "X" { return modified }
        let value = values[metric] ?? "X"
        guard value == "X" else { return value }
        return metric == "E" ? "A" : "H"
    }

    private func isAny(_ metrics: [String], _ value: Character) -> Bool { metrics.contains { self[$0] == value } }

    private func isAll(_ metrics: [String], _ value: Character) -> Bool { metrics.allSatisfy { self[$0] == value } }

    /// Source: CVSS 4.0, tables 24 to 29.
    var levels: CVSS4Levels {
        let threat: Int =
            switch self["E"] {
            case "A": 0
            case "P": 1
            default: 2
            }
        return CVSS4Levels(
            exploit: exploit, complexity: self["AC"] == "L" && self["AT"] == "N" ? 0 : 1, vulnerable: vulnerable,
            subsequent: isAny(["SI", "SA"], "S") ? 0 : isAny(["SC", "SI", "SA"], "H") ? 1 : 2, threat: threat)
    }

    private var exploit: Int {
        let metrics = ["AV", "PR", "UI"]
        if isAll(metrics, "N") { return 0 }
        return isAny(metrics, "N") && self["AV"] != "P" ? 1 : 2
    }

    private var vulnerable: CVSS4Levels.Vulnerable {
        let isWanted = [("CR", "VC"), ("IR", "VI"), ("AR", "VA")].contains { self[$0] == "H" && self[$1] == "H" }
        if isAll(["VC", "VI"], "H") { return isWanted ? .e00 : .e01 }
        return isAny(["VC", "VI", "VA"], "H") ? (isWanted ? .e10 : .e11) : .e21
    }

    /// How many steps the vector lies below the highest one of its level in this group.
    ///
    /// Some levels have several highest vectors; the first that is nowhere lower than this one counts.
    func steps(in group: CVSS4Levels.Group, _ levels: CVSS4Levels) -> Int {
        for highest in Self.highest(group, levels) {
            let steps = highest.map { Self.rank(self[$0], of: $0) - Self.rank($1, of: $0) }
            if steps.allSatisfy({ $0 >= 0 }) { return steps.reduce(0, +) }
        }
        preconditionFailure("a vector lies below one of the highest vectors of its own level")
    }

    /// The order of a metric's values, the worst first.
    private static func rank(_ value: Character, of metric: String) -> Int {
        let order: String =
            switch metric {
            case "AV": "NALP"
            case "PR": "NLH"
            case "UI": "NPA"
            case "AC": "LH"
            case "AT": "NP"
            case "SC", "SI", "SA": "SHLN"
            case "CR", "IR", "AR": "HML"
            default: "HLN"
            }
        guard let place = order.firstIndex(of: value) else { preconditionFailure("a metric has one of its values") }
        return order.distance(from: order.startIndex, to: place)
    }

    /// The highest vectors of a level. Source: CVSS 4.0, table 30 ("MacroVectors and highest severity vectors").
    private static func highest(_ group: CVSS4Levels.Group, _ levels: CVSS4Levels) -> [KeyValuePairs<String, Character>]
    {
        switch group {
        case .exploit:
            switch levels.exploit {
            case 0: [["AV": "N", "PR": "N", "UI": "N"]]
            case 1:
                [
                    ["AV": "A", "PR": "N", "UI": "N"], ["AV": "N", "PR": "L", "UI": "N"],
                    ["AV": "N", "PR": "N", "UI": "P"],
                ]
            default: [["AV": "P", "PR": "N", "UI": "N"], ["AV": "A", "PR": "L", "UI": "P"]]
            }
        case .complexity:
            levels.complexity == 0 ? [["AC": "L", "AT": "N"]] : [["AC": "H", "AT": "N"], ["AC": "L", "AT": "P"]]
        case .vulnerable: highest(levels.vulnerable)
        case .subsequent:
            switch levels.subsequent {
            case 0: [["SC": "H", "SI": "S", "SA": "S"]]
            case 1: [["SC": "H", "SI": "H", "SA": "H"]]
            default: [["SC": "L", "SI": "L", "SA": "L"]]
            }
        // One vector a level, so that nothing lies below it.
        case .threat: [[:]]
        }
    }

    private static func highest(_ level: CVSS4Levels.Vulnerable) -> [KeyValuePairs<String, Character>] {
        switch level {
        case .e00: [["VC": "H", "VI": "H", "VA": "H", "CR": "H", "IR": "H", "AR": "H"]]
        case .e01:
            [
                ["VC": "H", "VI": "H", "VA": "L", "CR": "M", "IR": "M", "AR": "H"],
                ["VC": "H", "VI": "H", "VA": "H", "CR": "M", "IR": "M", "AR": "M"],
            ]
        case .e10:
            [
                ["VC": "L", "VI": "H", "VA": "H", "CR": "H", "IR": "H", "AR": "H"],
                ["VC": "H", "VI": "L", "VA": "H", "CR": "H", "IR": "H", "AR": "H"],
            ]
        case .e11:
            [
                ["VC": "L", "VI": "H", "VA": "L", "CR": "H", "IR": "M", "AR": "H"],
                ["VC": "L", "VI": "H", "VA": "H", "CR": "H", "IR": "M", "AR": "M"],
                ["VC": "H", "VI": "L", "VA": "H", "CR": "M", "IR": "H", "AR": "M"],
                ["VC": "H", "VI": "L", "VA": "L", "CR": "M", "IR": "H", "AR": "H"],
                ["VC": "L", "VI": "L", "VA": "H", "CR": "H", "IR": "H", "AR": "M"],
            ]
        case .e21: [["VC": "L", "VI": "L", "VA": "L", "CR": "H", "IR": "H", "AR": "H"]]
        }
    }
}
