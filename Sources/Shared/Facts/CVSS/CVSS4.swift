/// The score of CVSS 4.0: the mark of the vector's MacroVector, less what the vector lies below its top.
///
/// A MacroVector is five digits, one for each group of metrics that weigh alike (EQ3 and EQ6 are one group with five
/// levels here). `CVSS4Table` has the mark of each. Within a MacroVector a vector is some steps below the highest one;
/// the way to the next lower mark is gone in proportion, in the mean of all groups that have a lower one.
/// All of it in whole numbers, so that no machine rounds otherwise than the specification.
/// Source: CVSS 4.0, section 8.2 and tables 24 to 30.
struct CVSS4 {
    let score: Score

    /// All steps of a group are parts of this: the least common multiple of the depths in `Group`.
    private static let unit = 840

    /// - Parameter values: all base metrics are there.
    init(_ values: [String: Character]) {
        let metrics = CVSS4Metrics(values)
        guard !metrics.isHarmless else {
            score = Score(clamping: 0)
            return
        }
        let levels = metrics.levels
        let mark = CVSS4Table.mark(levels)
        var lost = 0
        var groups = 0
        for group in CVSS4Levels.Group.allCases {
            guard let lower = levels.marksBelow(group).max() else { continue }
            groups += 1
            lost += (mark - lower) * metrics.steps(in: group, levels) * Self.unit / levels.depth(of: group)
        }
        guard groups > 0 else {
            score = Score(clamping: mark)
            return
        }
        let whole = Self.unit * groups
        // Half a tenth goes up.
        score = Score(clamping: (2 * (mark * whole - lost) + whole) / (2 * whole))
    }
}

/// The five digits of a MacroVector; 0 is the worst.
struct CVSS4Levels: Hashable {
    enum Group: CaseIterable { case exploit, complexity, vulnerable, subsequent, threat }

    /// EQ1, 0...2
    var exploit: Int
    /// EQ2, 0...1
    var complexity: Int
    /// EQ3 (0...2) and EQ6 (0...1) together, since the specification steps through both at once.
    var vulnerable: Vulnerable
    /// EQ4, 0...2
    var subsequent: Int
    /// EQ5, 0...2
    var threat: Int

    enum Vulnerable: Int, CaseIterable {
        case e00, e01, e10, e11, e21

        /// The levels just below; two of them only below the highest.
        var below: [Vulnerable] {
            switch self {
            case .e00: [.e01, .e10]
            case .e01, .e10: [.e11]
            case .e11: [.e21]
            case .e21: []
            }
        }

        var depth: Int {
            switch self {
            case .e00: 7
            case .e01: 6
            case .e10, .e11: 8
            case .e21: 10
            }
        }
    }

    /// The marks of the MacroVectors that are one level lower in `group` and alike in all others.
    func marksBelow(_ group: Group) -> [Int] {
        func changed(_ change: (inout CVSS4Levels) -> Void) -> Int {
            var levels = self
            change(&levels)
            return CVSS4Table.mark(levels)
        }
        switch group {
        case .exploit: return exploit < 2 ? [changed { $0.exploit += 1 }] : []
        case .complexity: return complexity < 1 ? [changed { $0.complexity += 1 }] : []
        case .vulnerable: return vulnerable.below.map { lower in changed { $0.vulnerable = lower } }
        case .subsequent: return subsequent < 2 ? [changed { $0.subsequent += 1 }] : []
        case .threat: return threat < 2 ? [changed { $0.threat += 1 }] : []
        }
    }

    /// How many steps of severity this level of the group has.
    func depth(of group: Group) -> Int {
        switch group {
        case .exploit: [1, 4, 5][exploit]
        case .complexity: [1, 2][complexity]
        case .vulnerable: vulnerable.depth
        case .subsequent: [6, 5, 4][subsequent]
        case .threat: 1
        }
    }
}
